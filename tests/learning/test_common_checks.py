"""scikit-learn's own checks of estimators; none is expected to fail."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_resnet_sc.learning import ResidualDictionaryLearning


@parametrize_with_checks(
    [
        ResidualDictionaryLearning(),
        ResidualDictionaryLearning(shortcut="dct", residual_bound=0.5, fit_algorithm="ols"),
        ResidualDictionaryLearning(shortcut=None, random_state=0),
        ResidualDictionaryLearning(fit_algorithm="lasso_lars", fit_alpha=0.1),
        ResidualDictionaryLearning(shortcut="pca", dictionary_update="bcd", ridge=0.01),
        ResidualDictionaryLearning(residual_bound=None, dictionary_update="bcd"),
    ]
)
def test_common_checks(estimator, check):
    check(estimator)
