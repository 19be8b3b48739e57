"""`MultiLayerSparseCoder` as a scikit-learn estimator."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_resnet_sc.multilayer import MultiLayerSparseCoder


@parametrize_with_checks(
    [
        MultiLayerSparseCoder(max_iter=2),
        MultiLayerSparseCoder((5, 3), algorithm="layered_omp", output="concat", max_iter=2),
        MultiLayerSparseCoder(residual=True, algorithm="layered_lasso_cd", max_iter=2),
    ]
)
def test_common_checks(estimator, check):
    check(estimator)
