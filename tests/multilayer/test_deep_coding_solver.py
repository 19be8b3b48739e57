"""DeepCodingSolver: each strategy finds what is planted, and says honestly what it found."""

import pickle
import warnings
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator

from sklearn_resnet_sc import DeepCodingSolver, sparse_encode
from sklearn_resnet_sc.datasets import make_multilayer_sparse_signals
from sklearn_resnet_sc.multilayer._demands import Demands
from sklearn_resnet_sc.multilayer._ml_fista import lasso_objective
from sklearn_resnet_sc.multilayer._stack import Stack
from sklearn_resnet_sc.theory import CodeCertificate, LayeredStability

WIDTHS = (2, 3, 10, 4, 5, 20, 1)
COUNTS = (6, 2)
STRATEGIES = [
    ("layered", "omp"),
    ("layered", "ols"),
    ("projection", "omp"),
    ("joint", "omp"),
    ("joint", "palm"),
]


def solver_of_width(n_features, **options):
    rng = np.random.RandomState(0)
    sizes = (n_features, n_features + 2, n_features + 1)
    stack = [rng.standard_normal((k, n)) for n, k in pairwise(sizes)]
    return DeepCodingSolver(stack, **{"n_nonzero_coefs": 1, **options})


def name_of(check):
    function = check.func if isinstance(check, partial) else check
    return function.__name__ + str(getattr(check, "keywords", None) or "")


COMMON_CHECKS = [check for _, check in estimator_checks_generator(solver_of_width(3))]


@pytest.mark.parametrize("check", COMMON_CHECKS, ids=name_of)
def test_common_check_passes_under_some_width(check):
    failures = []
    for n_features in WIDTHS:
        try:
            check(solver_of_width(n_features))
            return
        except Exception as failure:
            failures.append(failure)
    raise failures[0]


@pytest.fixture(scope="module")
def planted():
    return make_multilayer_sparse_signals(
        80, 40, (50, 60), 2, atom_nonzero=3, coefficients="signs", random_state=0
    )


@pytest.mark.parametrize(("strategy", "pursuit"), STRATEGIES)
def test_planted_chains_are_found(planted, strategy, pursuit):
    X, dictionaries, codes = planted
    solver = DeepCodingSolver(
        dictionaries, n_nonzero_coefs=COUNTS, tol=0, strategy=strategy, pursuit=pursuit
    )
    solution = solver.solve(X)
    # The planted chain is feasible; a solver need not find it, and if it does it says so.
    assert solution.feasible.mean() > 0.7
    for found, truth in zip(solution.codes, codes, strict=True):
        right = np.abs(found.toarray() - truth).max(axis=1) < 1e-8
        assert right[solution.feasible].mean() > 0.95
    np.testing.assert_array_equal(solution.violation == 0, solution.feasible)


@pytest.mark.parametrize(("strategy", "pursuit"), STRATEGIES)
def test_what_is_not_feasible_is_said_so(planted, strategy, pursuit):
    X, dictionaries, _ = planted
    noisy = X + np.random.default_rng(0).standard_normal(X.shape)
    solution = DeepCodingSolver(
        dictionaries, n_nonzero_coefs=COUNTS, tol=0, strategy=strategy, pursuit=pursuit
    ).solve(noisy)
    assert not solution.feasible.any()
    assert (solution.violation > 1e-3).all()
    assert all(layer.n_nonzero.max() <= s for layer, s in zip(solution.layers, COUNTS, strict=True))


def test_layered_is_one_layer_after_the_other(planted):
    X, dictionaries, _ = planted
    solution = DeepCodingSolver(dictionaries, n_nonzero_coefs=COUNTS).solve(X)
    first = sparse_encode(X, dictionaries[0], algorithm="omp", n_nonzero_coefs=6)
    second = sparse_encode(first, dictionaries[1], algorithm="omp", n_nonzero_coefs=2)
    np.testing.assert_allclose(solution.codes[0].toarray(), first, atol=1e-12)
    np.testing.assert_allclose(solution.codes[1].toarray(), second, atol=1e-12)


def test_the_multi_layer_lasso_lowers_its_objective_below_the_layered_one(planted):
    X, dictionaries, _ = planted
    stack = Stack.check(dictionaries)
    alpha = [0.05, 0.05]
    joint = DeepCodingSolver(dictionaries, alpha=alpha, strategy="joint", pursuit="ml_fista")
    layered = DeepCodingSolver(dictionaries, alpha=alpha, pursuit="lasso_lars")
    solutions = joint.solve(X), layered.solve(X)
    values = [
        lasso_objective(X, stack, alpha, solution.codes[-1].toarray()) for solution in solutions
    ]
    np.testing.assert_allclose(solutions[0].objective, values[0], rtol=1e-12)
    assert f"{values[0].mean():.6g}" in str(solutions[0])
    assert solutions[1].objective is None  # it has made small something else
    assert values[0].mean() < values[1].mean()
    assert (values[0] < 1.01 * values[1]).all()  # its own optimum is off by the order of a step


@pytest.mark.parametrize(
    "options",
    [
        {"n_nonzero_coefs": COUNTS},
        {"n_nonzero_coefs": COUNTS, "strategy": "projection"},
        {"n_nonzero_coefs": COUNTS, "strategy": "joint"},
        {"n_nonzero_coefs": COUNTS, "strategy": "joint", "pursuit": "palm"},
        {"alpha": 0.1, "strategy": "joint", "pursuit": "ml_fista"},
        {"alpha": 0.1, "pursuit": "lasso_lars"},
    ],
)
def test_scale_precision_threads_and_output(planted, options):
    X, dictionaries, _ = planted
    solver = DeepCodingSolver(dictionaries, output="concat", **options).fit(X)
    codes = solver.transform(X)
    assert codes.shape == (80, 110)
    np.testing.assert_array_equal(solver.set_params(n_jobs=2).transform(X), codes)
    kept = solver.set_params(sparse_output=True).transform(X)
    assert sparse.issparse(kept)
    np.testing.assert_array_equal(kept.toarray(), codes)
    solver.set_params(sparse_output=False)
    single = solver.transform(X.astype(np.float32))
    assert single.dtype == np.float32
    same = np.median(np.abs(single - codes).max(axis=1))
    assert same < 1e-4
    for scale in (1e-200, 1e200):
        other = clone(solver)
        if "alpha" in options:
            other.set_params(alpha=options["alpha"] * scale)
        np.testing.assert_allclose(other.transform(X * scale) / scale, codes, atol=1e-10)
    for layer, columns in ((0, slice(50)), (1, slice(50, None)), (-1, slice(50, None))):
        np.testing.assert_array_equal(
            solver.set_params(output=layer).transform(X), codes[:, columns]
        )
    names = solver.set_params(output="concat").fit(X).get_feature_names_out()
    assert names[0] == "deepcodingsolver_layer1_0"
    assert names[-1] == "deepcodingsolver_layer2_59"
    again = pickle.loads(pickle.dumps(solver)).transform(X)
    np.testing.assert_array_equal(again, codes)


def test_signals_come_back_and_are_scored(planted):
    X, dictionaries, codes = planted
    solver = DeepCodingSolver(dictionaries, n_nonzero_coefs=COUNTS, output="last")
    back = solver.inverse_transform(codes[-1])
    np.testing.assert_allclose(back, X, atol=1e-12)
    back = solver.inverse_transform(solver.transform(X))
    expected = 1 - np.sum((X - back) ** 2) / np.sum(X**2)
    np.testing.assert_allclose(solver.score(X), expected)
    with pytest.raises(ValueError, match="X must have 60 columns"):
        solver.inverse_transform(codes[0])


def test_certificates_of_both_models(planted):
    X, dictionaries, _ = planted
    solver = DeepCodingSolver(dictionaries, n_nonzero_coefs=COUNTS)
    certificate = solver.certify(X, noise=0.01)
    assert isinstance(certificate, CodeCertificate)
    assert len(certificate.layers) == 2
    assert certificate.layers[0].unique.shape == (80,)
    lasso = DeepCodingSolver(dictionaries, alpha=0.1, pursuit="lasso_lars").certify(X)
    assert isinstance(lasso, CodeCertificate)
    forward = DeepCodingSolver(
        [matrix.T for matrix in dictionaries], n_nonzero_coefs=4, model="forward"
    )
    bound = forward.certify(X, noise=0.5)
    assert isinstance(bound, LayeredStability)
    # Two signals half a unit from X, the difference as it goes through the layers.
    assert bound.squared_error[0] >= (2 * 0.5) ** 2 * 0.99


def test_the_forward_model_in_a_pipeline(planted):
    X, dictionaries, _ = planted
    network = [matrix.T for matrix in dictionaries]
    y = X[:, 0] > 0
    for options in (
        {"n_nonzero_coefs": 5},
        {"pursuit": "threshold", "alpha": 0.1, "positive_code": True},
        {"n_nonzero_coefs": 5, "strategy": "joint"},
    ):
        solver = DeepCodingSolver(network, model="forward", output="concat", **options)
        score = make_pipeline(solver, LogisticRegression()).fit(X, y).score(X, y)
        assert score > 0.8
    solver.set_params(output="last").fit(X)
    exact = np.maximum(np.abs(X).max(), 1) * 1e-9
    full = DeepCodingSolver(network, model="forward", tol=0).fit(X)
    np.testing.assert_allclose(full.inverse_transform(full.transform(X)), X, atol=exact)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_nonzero_coefs": None}, "one of n_nonzero_coefs and tol must be given"),
        ({"n_nonzero_coefs": [1]}, "one entry a layer, 2; got 1"),
        ({"tol": [0.1, -1.0]}, r"tol\[1\] \(layer 2\)"),
        ({"n_nonzero_coefs": [0, 2]}, r"n_nonzero_coefs\[0\] \(layer 1\)"),
        ({"model": "forward", "strategy": "projection"}, "has no strategy='projection'"),
        ({"strategy": "joint", "pursuit": "lasso_lars"}, "pursuit must be one of"),
        ({"strategy": "joint", "positive_code": True}, "positive_code=True is not supported by"),
        ({"output": 2}, "index of one of 2 layers"),
        ({"alpha": 0.1}, "takes n_nonzero_coefs and tol, not alpha"),
        ({"pursuit": "threshold", "alpha": [0.1, -1]}, r"alpha\[1\] \(layer 2\)"),
    ],
)
def test_bad_input_is_one_clear_error(planted, options, message):
    X, dictionaries, _ = planted
    if options.get("model") == "forward":
        dictionaries = [matrix.T for matrix in dictionaries]
    options = {"n_nonzero_coefs": COUNTS, **options}
    with pytest.raises(ValueError, match=message):
        DeepCodingSolver(dictionaries, **options).fit(X)


def test_signals_of_another_width_are_refused(planted):
    X, dictionaries, _ = planted
    with pytest.raises(ValueError, match="signals of 40 features; X has 39"):
        DeepCodingSolver(dictionaries, n_nonzero_coefs=1).transform(X[:, 1:])


def test_too_many_atoms_are_clipped_with_one_warning(planted):
    X, dictionaries, _ = planted
    solver = DeepCodingSolver(dictionaries, n_nonzero_coefs=(6, 100))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        solver.certify(X[:5])
    assert sum("clipped" in str(warning.message) for warning in caught) == 1


def test_atoms_of_any_length_and_signals_of_zero(planted):
    X, dictionaries, _ = planted
    lengths = [np.linspace(0.5, 3, len(matrix)) for matrix in dictionaries]
    # Layer 1 codes shrink by the lengths of its atoms, and layer 2 atoms make those codes.
    first = lengths[0][:, None] * dictionaries[0]
    second = lengths[1][:, None] * dictionaries[1] / lengths[0]
    X = np.vstack([X, np.zeros((1, 40))])
    solution = DeepCodingSolver(
        [first, second], n_nonzero_coefs=COUNTS, tol=0, strategy="projection"
    ).solve(X)
    assert solution.feasible.mean() > 0.7
    assert solution.feasible[-1]
    assert solution.codes[0][[-1]].nnz == 0


def in_the_plane(**options):
    """A signal as near to one atom as to another, in two orthonormal layers."""
    x = np.array([[1.0, 1.0, 0.0, 0.0]])
    return x, DeepCodingSolver([np.eye(4), np.eye(4)], n_nonzero_coefs=1, **options)


def test_certificates_count_competitors_as_far_away_as_what_was_found():
    # The code on the other atom is as sparse and as near: no more can be certain than sqrt(2).
    x, solver = in_the_plane()
    certificate = solver.certify(x)
    for layer in certificate.layers:
        assert not layer.unique_from_signal.any()
        assert layer.error_radius[0] >= np.sqrt(2)
    assert "Competitors have at most as many atoms and are within 1 of the signal." in str(
        certificate
    )
    exact = np.array([[3.0, 0, 0, 0]])
    assert solver.certify(exact).layers[1].unique_from_signal.all()
    assert not solver.certify(exact, noise=0.1).layers[1].unique_from_signal.any()


def test_certificates_count_competitors_of_as_many_atoms_as_asked_for():
    x, solver = in_the_plane(tol=1.0)
    # In the second layer the zero code may do; one atom of length one is allowed as well.
    solution = solver.solve(x)
    certificate = solver.certify(x, solution=solution)
    assert certificate.layers[1].n_competing.tolist() == [1]
    for other in ([[1.0, 0, 0, 0]], [[0, 1.0, 0, 0]], [[0, 0, 0, 0.0]]):
        distance = np.linalg.norm(solution.codes[1].toarray() - other)
        assert distance <= certificate.layers[1].error_radius[0]


def test_certificates_of_the_forward_model():
    x, solver = in_the_plane(model="forward")
    codes = solver.solve(x).codes
    bound = solver.certify(x)
    other = np.array([[1.0, 1.0, 0, 0]]) - codes[0].toarray()  # as good
    assert np.linalg.norm(codes[0].toarray() - other) ** 2 <= bound.squared_error[0]
    # By hand: two chains of one input, each within one of it, then within one of the layer above.
    within = in_the_plane(model="forward", tol=1.0)[1].certify(x)
    np.testing.assert_allclose(within.squared_error, [4, 16])
    # Inputs that differ, too: both are within one half of a common one.
    moved = in_the_plane(model="forward", tol=1.0)[1].certify(x, noise=0.5)
    np.testing.assert_allclose(moved.squared_error, [9, 25])
    with pytest.raises(ValueError, match=r"noise must be a number or .* got shape \(3,\)"):
        in_the_plane(model="forward")[1].certify(x, noise=np.ones(3))


def test_codes_that_are_no_numbers_are_not_feasible():
    demands = Demands((None,), (0.5,))
    assert np.isnan(demands.excess(np.array([[np.nan]]), np.zeros((1, 1)))).all()


@pytest.mark.parametrize("tol", [0.0, 0.1])
def test_forward_codes_in_single_precision(tol):
    rng = np.random.default_rng(0)
    stack = [rng.standard_normal(shape).astype(np.float32) for shape in ((20, 24), (24, 30))]
    X = rng.standard_normal((20, 20)).astype(np.float32)
    solver = DeepCodingSolver(stack, tol=tol, model="forward", strategy="joint")
    solution = solver.solve(X)
    assert all(np.isfinite(codes.data).all() for codes in solution.codes)
    assert solution.feasible.all()  # the exact chain without sparsity is
    for layer in solution.layers:
        assert (layer.residual_norm <= np.sqrt(tol) + 1e-3).all()


def test_too_many_atoms_are_counted(planted):
    X, dictionaries, _ = planted
    solver = DeepCodingSolver(dictionaries, pursuit="lasso_cd", alpha=0.01, n_nonzero_coefs=1)
    solution = solver.solve(X)
    for layer in solution.layers:
        np.testing.assert_array_equal(layer.n_excess, np.maximum(layer.n_nonzero - 1, 0))
        assert not layer.feasible[layer.n_excess > 0].any()
    assert f"at most {solution.layers[0].n_excess.max()} atoms too many" in str(solution)


@pytest.mark.parametrize("method", ["solve", "transform", "fit_transform"])
def test_one_warning_where_counts_are_clipped_at_the_line_of_the_user(method):
    solver = DeepCodingSolver([np.eye(4)], n_nonzero_coefs=9)
    with pytest.warns(UserWarning, match=r"was clipped \(layer 1: 9 to 4\)") as caught:
        getattr(solver, method)(np.ones((2, 4)))
    assert [each.filename for each in caught] == [__file__]


BAD = {
    "no weight": (
        {"n_nonzero_coefs": (3, 2), "strategy": "joint", "pursuit": "ml_fista"},
        r"pursuit='ml_fista' goes by alpha alone .* layer 1 has n_nonzero_coefs=3 and alpha=None",
    ),
    "no number": ({"alpha": ("a", 1), "pursuit": "lasso_cd"}, r"alpha\[0\] \(layer 1\) must be"),
    "iterations": (
        {"alpha": 1, "strategy": "joint", "pursuit": "ml_fista", "transform_max_iter": 0},
        "The 'transform_max_iter' parameter of DeepCodingSolver",
    ),
    "output": ({"n_nonzero_coefs": 1, "output": "lst"}, "The 'output' parameter"),
    "model": ({"n_nonzero_coefs": 1, "model": "foo"}, "The 'model' parameter"),
    "strategy": (
        {"n_nonzero_coefs": 1, "model": "forward", "strategy": "projection"},
        "model='forward' has no strategy='projection'",
    ),
    "threshold": (
        {
            "n_nonzero_coefs": 1,
            "model": "forward",
            "strategy": "joint",
            "pursuit": "hard_threshold",
            "alpha": 5.0,
        },
        "takes n_nonzero_coefs and tol, not alpha",
    ),
    "complex": (
        {"n_nonzero_coefs": 1, "dictionaries": [np.eye(4) * 1j]},
        r"dictionaries\[0\] \(layer 1\) must be real",
    ),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("method", ["fit", "solve", "transform"])
def test_parameters_are_checked_without_a_fit_too(case, method):
    options, message = BAD[case]
    solver = DeepCodingSolver(**{"dictionaries": [np.eye(4), np.eye(4)], **options})
    with pytest.raises(ValueError, match=message):
        getattr(solver, method)(np.ones((2, 4)))


def test_transform_says_how_many_signals_did_not_come_to_rest(planted):
    X, dictionaries, _ = planted
    solver = DeepCodingSolver(
        dictionaries, alpha=1e-3, strategy="joint", pursuit="ml_fista", transform_max_iter=10
    )
    n_ended = int((solver.solve(X).layers[0].stop_reason == "max_iter").sum())
    assert n_ended > 0
    with pytest.warns(ConvergenceWarning, match=rf"^{n_ended} of 80 signals stopped") as caught:
        solver.transform(X)
    assert [each.filename for each in caught] == [__file__]
