"""scikit-learn's own checks of estimators, for the learners that have its names."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_resnet_sc.learning import DictionaryLearning, MiniBatchDictionaryLearning


def excepted(estimator):
    """Batches of repeated signals are other batches; scikit-learn excepts its own class, too."""
    if not isinstance(estimator, MiniBatchDictionaryLearning):
        return {}
    return {
        f"check_sample_weight_equivalence_on_{kind}_data": "a repeated signal fills a batch"
        for kind in ("dense", "sparse")
    }


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
        MiniBatchDictionaryLearning(batch_size=10, max_iter=5),
        MiniBatchDictionaryLearning(
            batch_size=10, max_iter=5, transform_algorithm="lasso_lars", random_state=0
        ),
    ],
    expected_failed_checks=excepted,
)
def test_common_checks(estimator, check):
    check(estimator)
