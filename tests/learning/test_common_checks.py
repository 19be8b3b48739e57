"""scikit-learn's own checks of estimators, for all learners."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_resnet_sc.learning import (
    DictionaryLearning,
    MiniBatchDictionaryLearning,
    ResidualDictionaryLearning,
)


def excepted(estimator):
    """Where a weight of two is not two copies; scikit-learn excepts its own class, too."""
    if isinstance(estimator, MiniBatchDictionaryLearning):
        reason = "a repeated signal fills a batch"
    elif estimator.dictionary_update == "rls":
        reason = "a repeated signal changes the order of the others"
    else:
        return {}
    return {"check_sample_weight_equivalence_on_dense_data": reason}


@parametrize_with_checks(
    [
        DictionaryLearning(max_iter=20),
        DictionaryLearning(max_iter=20, transform_algorithm="lasso_lars", random_state=0),
        DictionaryLearning(
            max_iter=20, fit_algorithm="omp", dictionary_update="mod", dict_init="data"
        ),
        # From singular directions, of which few signals give fewer than there are atoms.
        DictionaryLearning(max_iter=20, fit_algorithm="omp", dictionary_update="mod"),
        DictionaryLearning(max_iter=20, fit_algorithm="omp", dictionary_update="ksvd"),
        DictionaryLearning(max_iter=20, fit_algorithm="omp", dictionary_update="aksvd"),
        DictionaryLearning(max_iter=5, fit_algorithm="omp", dictionary_update="rls"),
        MiniBatchDictionaryLearning(batch_size=10, max_iter=5),
        MiniBatchDictionaryLearning(
            batch_size=10, max_iter=5, transform_algorithm="lasso_lars", random_state=0
        ),
        MiniBatchDictionaryLearning(batch_size=10, max_iter=5, dictionary_update="mod"),
        ResidualDictionaryLearning(),
        ResidualDictionaryLearning(shortcut="dct", residual_bound=0.5, fit_algorithm="ols"),
        ResidualDictionaryLearning(shortcut=None, random_state=0),
        ResidualDictionaryLearning(fit_algorithm="lasso_lars", fit_alpha=0.1),
        ResidualDictionaryLearning(shortcut="pca", dictionary_update="bcd", ridge=0.01),
        ResidualDictionaryLearning(residual_bound=None, dictionary_update="bcd"),
        ResidualDictionaryLearning(residual_bound=None, dictionary_update="ksvd"),
        ResidualDictionaryLearning(shortcut=None, dictionary_update="aksvd", random_state=0),
        ResidualDictionaryLearning(residual_bound=None, dictionary_update="rls", max_iter=5),
    ],
    expected_failed_checks=excepted,
)
def test_common_checks(estimator, check):
    check(estimator)
