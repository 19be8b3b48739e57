"""scikit-learn's own tests of sparse_encode and SparseCoder, run against ours.

The tests come from the installed scikit-learn; only the names they call are
replaced. Those left out, and why:

- ``test_sparse_encode_unavailable_positivity`` demands that positive ``omp``
  and ``lars`` are refused; they are offered here.
"""

import importlib.util
import inspect

from sklearn.decomposition.tests import test_dict_learning as reference

from sklearn_resnet_sc import SparseCoder, sparse_encode

LEFT_OUT = {"test_sparse_encode_unavailable_positivity"}
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
    assert len(ADOPTED) >= 15
