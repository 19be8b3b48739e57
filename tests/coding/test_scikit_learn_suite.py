"""scikit-learn's own tests of sparse_encode and SparseCoder, run against ours.

The tests come from the installed scikit-learn; only the names they call are
replaced. Those left out, and why:

- ``test_sparse_encode_unavailable_positivity`` demands that positive ``omp``
  and ``lars`` are refused; they are offered here.
- ``test_sparse_coder_estimator_clone`` and ``test_sparse_coder_n_features_in`` of versions whose
  coder knows sizes before `fit`; ours learns them in `fit`, as in the versions after.
"""

import importlib.util
import inspect

from sklearn.decomposition.tests import test_dict_learning as reference

from sklearn_resnet_sc import SparseCoder, sparse_encode


def asks_for_sizes_before_fit(name):
    source = inspect.getsource(getattr(reference, name))
    return ".fit(" not in source and ("n_components_" in source or "n_features_in_" in source)


SIZES = ("test_sparse_coder_estimator_clone", "test_sparse_coder_n_features_in")
LEFT_OUT = {
    "test_sparse_encode_unavailable_positivity",
    *filter(asks_for_sizes_before_fit, SIZES),
}
OURS = {"SparseCoder": SparseCoder, "sparse_encode": sparse_encode}
# Tests of estimators that learn call sparse_encode only on the way.
LEARNERS = {"DictionaryLearning", "MiniBatchDictionaryLearning", "dict_learning", "_update_dict"}


def load_with(replacements):
    """A second copy of scikit-learn's test module, in which names stand for our objects."""
    spec = importlib.util.spec_from_file_location("scikit_learn_suite", reference.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, replacement in replacements.items():
        assert hasattr(module, name)
        setattr(module, name, replacement)
    return module


def adopted_from(module, names, without):
    """Tests whose code mentions one of the names."""
    found = {}
    for name, function in vars(module).items():
        if name.startswith("test_") and name not in LEFT_OUT:
            mentioned = set(inspect.unwrap(function).__code__.co_names)
            if mentioned & names and not mentioned & without:
                found[name] = function
    return found


ADOPTED = adopted_from(load_with(OURS), set(OURS), LEARNERS)
globals().update(ADOPTED)


def test_the_suite_is_not_empty():
    assert len(ADOPTED) >= 13  # of the oldest version supported
