"""What every function of the floor refuses, and how it says so."""

import numpy as np
import pytest

from sklearn_resnet_sc import theory

EYE = np.eye(3)
OF_DICTIONARY = {
    "mutual_coherence": theory.mutual_coherence,
    "average_coherence": theory.average_coherence,
    "babel": theory.babel,
    "frame_bounds": theory.frame_bounds,
    "dictionary_properties": theory.dictionary_properties,
    "uniqueness_bound": theory.uniqueness_bound,
    "stability_bound": lambda d: theory.stability_bound(d, 1, 0.1),
    "exact_recovery_condition": lambda d: theory.exact_recovery_condition(d, [0]),
    "certificate_plain": lambda d: theory.residual_certificate(None, d),
    "bounds_shortcut": lambda d: theory.residual_bounds(d, np.zeros(np.shape(d))),
}
OF_MATRIX = {
    "singular_spectrum": theory.singular_spectrum,
    "numerical_rank": theory.numerical_rank,
    "effective_rank": theory.effective_rank,
    "participation_ratio": theory.participation_ratio,
    "condition_number": theory.condition_number,
    "bounds_residual": lambda m: theory.residual_bounds("identity", m),
    "certificate_residual": lambda m: theory.residual_certificate("identity", m),
}
EVERY = OF_DICTIONARY | OF_MATRIX


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(name, bad):
    matrix = EYE.copy()
    matrix[1, 2] = bad
    with pytest.raises(ValueError, match="must be finite"):
        EVERY[name](matrix)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones(3), r"dimensions; got shape \(3,\)"),
        (np.float64(1), r"dimensions; got shape \(\)"),
        (np.ones((0, 3)), r"must not be empty; got shape \(0, 3\)"),
        (np.ones((3, 0)), r"must not be empty; got shape \(3, 0\)"),
        (EYE + 1j, "real numbers; got dtype complex128"),
        (np.array([["a", "b"]]), "real numbers; got dtype <U1"),
        (np.full((2, 2), 1.7e308), "too large for its norms in float64"),
        (np.full((2, 2), 3e38, dtype=np.float32), "too large for its norms in float32"),
    ],
)
def test_not_a_matrix(name, matrix, message):
    with pytest.raises(ValueError, match=message):
        EVERY[name](matrix)


@pytest.mark.parametrize("name", OF_DICTIONARY)
def test_three_dimensions(name):
    with pytest.raises(ValueError, match=r"two dimensions; got shape \(2, 3, 3\)"):
        OF_DICTIONARY[name](np.ones((2, 3, 3)))


@pytest.mark.parametrize("name", OF_DICTIONARY)
def test_zero_atoms(name):
    with pytest.raises(ValueError, match=r"no zero atom; 2 of its 3 rows are zero \(row 0, 2\)"):
        OF_DICTIONARY[name](np.array([[0, 0], [1, 1], [0, 0]]))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("dtype", [np.float32, np.int8, bool, np.float16])
def test_other_numbers_are_accepted(name, dtype):
    EVERY[name](EYE.astype(dtype))


@pytest.mark.parametrize("name", EVERY)
def test_input_is_left_alone(name):
    matrix = np.diag([0.25, 0.5, 0.25])
    matrix.flags.writeable = False
    EVERY[name](matrix)
    EVERY[name](np.asfortranarray(matrix)[::-1, ::-1])


@pytest.mark.parametrize("noise", [-1e-300, np.nan, np.inf, "0.1", None, True])
def test_noise(noise):
    with pytest.raises(ValueError, match="noise must be a finite number of at least 0; got"):
        theory.stability_bound(EYE, 1, noise)


@pytest.mark.parametrize("n_nonzero", [0, -1, 4, 1.0, None, True])
def test_n_nonzero(n_nonzero):
    with pytest.raises(ValueError, match=r"n_nonzero must be an integer in \[1, 3\]; got"):
        theory.stability_bound(EYE, n_nonzero, 0.1)


@pytest.mark.parametrize("max_order", [-1, 3, 1.5])
def test_max_order(max_order):
    with pytest.raises(ValueError, match=r"max_order must be an integer in \[0, 2\]; got"):
        theory.babel(EYE, max_order)


@pytest.mark.parametrize("coherence", [-0.1, 1.1, np.nan, "0.1"])
def test_coherence(coherence):
    with pytest.raises(ValueError, match=r"coherence must be in \[0, 1\]; got"):
        theory.sparsity_from_coherence(coherence, 3)


@pytest.mark.parametrize("sizes", [(0, 3), (3, 0), (3, 1.5)])
def test_sizes(sizes):
    with pytest.raises(ValueError, match="must be an integer of at least 1; got"):
        theory.welch_bound(*sizes)


@pytest.mark.parametrize("rtol", [-1e-9, 1.5, np.nan])
def test_rtol(rtol):
    with pytest.raises(ValueError, match=r"rtol must be in \[0, 1\]; got"):
        theory.numerical_rank(EYE, rtol=rtol)


@pytest.mark.parametrize(
    ("support", "message"),
    [
        ([0, 3], r"support must lie in \[0, 2\]"),
        ([-1], r"support must lie in \[0, 2\]"),
        ([1, 1], "must not name an atom twice"),
        ([0.0], "list of atom indices or a boolean mask"),
        ([[0], [1]], "list of atom indices or a boolean mask"),
        ([True, False], r"mask must have shape \(3,\)"),
        ([], "support must name at least one atom; it is empty"),
        ([False] * 3, "support must name at least one atom; it is empty"),
    ],
)
def test_support(support, message):
    with pytest.raises(ValueError, match=message):
        theory.exact_recovery_condition(EYE, support)
