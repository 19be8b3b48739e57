"""scikit-learn's own tests of dictionary learning, run against ours.

The tests come from the installed scikit-learn; only the names they call are
replaced. Those left out, and why:

- ``test_dict_learning_lars_positive_parameter``,
  ``test_dict_learning_online_lars_positive_parameter`` and
  ``test_dict_learning_lars_code_positivity`` demand that positive codes are
  refused where ``lars`` or ``lasso_lars`` finds them; they are offered here.
- ``test_minibatch_dictionary_learning_dtype_match`` reads the private sums ``_A`` and ``_B``;
  what it says of public names is tested below.
- ``test_update_dict`` calls a private function; ``test_bcd.py`` tests ours.
"""

import importlib.util
import inspect
import itertools

import numpy as np
import pytest
from sklearn.decomposition.tests import test_dict_learning as reference

from sklearn_resnet_sc import (
    DictionaryLearning,
    MiniBatchDictionaryLearning,
    SparseCoder,
    dict_learning,
    dict_learning_online,
    sparse_encode,
)

LEFT_OUT = {
    "test_dict_learning_lars_positive_parameter",
    "test_dict_learning_online_lars_positive_parameter",
    "test_dict_learning_lars_code_positivity",
    "test_minibatch_dictionary_learning_dtype_match",
    "test_update_dict",
}
OURS = {
    "DictionaryLearning": DictionaryLearning,
    "MiniBatchDictionaryLearning": MiniBatchDictionaryLearning,
    "SparseCoder": SparseCoder,
    "dict_learning": dict_learning,
    "dict_learning_online": dict_learning_online,
    "sparse_encode": sparse_encode,
}
LEARNERS = {name for name in OURS if "earning" in name}


def load_with(replacements):
    """A second copy of scikit-learn's test module, in which names stand for our objects."""
    spec = importlib.util.spec_from_file_location("scikit_learn_suite", reference.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, replacement in replacements.items():
        assert hasattr(module, name)
        setattr(module, name, replacement)
    return module


def adopted_from(module):
    """Tests whose code mentions a learner."""
    found = {}
    for name, function in vars(module).items():
        if name.startswith("test_") and name not in LEFT_OUT:
            code = inspect.unwrap(function).__code__
            if {*code.co_names, *code.co_freevars} & LEARNERS:
                found[name] = function
    return found


ADOPTED = adopted_from(load_with(OURS))
globals().update(ADOPTED)


def test_the_suite_is_not_empty():
    assert len(ADOPTED) >= 25


# Its estimators are parameters of the test, hence not found by name.
@pytest.mark.parametrize(
    "estimator", [DictionaryLearning(), MiniBatchDictionaryLearning(batch_size=4, max_iter=10)]
)
def test_get_feature_names_out(estimator):
    reference.test_get_feature_names_out(estimator)


@pytest.mark.parametrize(
    ("fit_algorithm", "transform_algorithm", "dtype"),
    list(
        itertools.product(
            ("lars", "cd"),
            ("lasso_lars", "lasso_cd", "lars", "threshold", "omp"),
            (np.float32, np.float64, np.int32, np.int64),
        )
    ),
)
def test_precision_of_mini_batches(fit_algorithm, transform_algorithm, dtype):
    expected = np.float32 if dtype == np.float32 else np.float64
    learner = MiniBatchDictionaryLearning(
        8,
        batch_size=10,
        fit_algorithm=fit_algorithm,
        transform_algorithm=transform_algorithm,
        max_iter=100,
        tol=1e-1,
        random_state=0,
    ).fit(reference.X.astype(dtype))
    assert learner.components_.dtype == expected
    assert learner.transform(reference.X.astype(dtype)).dtype == expected
