import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError

from sklearn_resnet_sc.plotting import SpectrumDisplay


class FittedResidual(BaseEstimator):
    """As much of a residual dictionary as the display reads."""

    def fit(self, shortcut, residual, residual_bound):
        self.shortcut_ = shortcut
        self.residual_ = residual
        self.residual_bound_ = residual_bound
        self.components_ = shortcut + residual
        self.components_ /= np.linalg.norm(self.components_, axis=1, keepdims=True)
        return self


def residual_of(shape, norm, seed):
    residual = np.random.default_rng(seed).standard_normal(shape)
    return residual * (norm / np.linalg.norm(residual, 2))


def test_lines_are_the_singular_values():
    rng = np.random.default_rng(0)
    dictionaries = {"wide": rng.standard_normal((4, 9)), "tall": rng.standard_normal((9, 4))}
    display = SpectrumDisplay.from_dictionaries(dictionaries, title="Spectra")
    for name, dictionary in dictionaries.items():
        index, values = display.lines_[name].get_data()
        np.testing.assert_array_equal(index, [1, 2, 3, 4])
        np.testing.assert_allclose(values, np.linalg.svd(dictionary, compute_uv=False))
    assert display.bands_ == {}
    assert display.ax_.get_title() == "Spectra"
    assert display.ax_.get_xlabel()
    assert display.ax_.get_ylabel()
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["wide", "tall"]


@pytest.mark.parametrize("shape", [(6, 6), (4, 6), (9, 6)])
@pytest.mark.parametrize("seed", range(5))
def test_certified_interval_holds_the_spectrum(shape, seed):
    # Theorem: Weyl's inequality, sigma_i(P + R) within sigma_i(P) -+ ||R||_2.
    shortcut = np.random.default_rng(seed + 100).standard_normal(shape)
    smallest = np.linalg.svd(shortcut, compute_uv=False)[-1]
    estimator = FittedResidual().fit(shortcut, residual_of(shape, 0.7 * smallest, seed), 0.7)
    display = SpectrumDisplay.from_estimator(estimator, name="learned")
    lower, upper = display.intervals["learned"]
    values = display.spectra["learned"]
    np.testing.assert_allclose(values, np.linalg.svd(shortcut + estimator.residual_)[1])
    assert (lower <= values + 1e-12).all()
    assert (values <= upper + 1e-12).all()
    np.testing.assert_allclose(upper - lower, 1.4 * smallest)
    # The band that is drawn is that interval.
    drawn = display.bands_["learned"].get_paths()[0].vertices[:, 1]
    assert drawn.min() == pytest.approx(lower.min())
    assert drawn.max() == pytest.approx(upper.max())


def test_estimator_without_bound_or_without_shortcut():
    free = FittedResidual().fit(np.eye(3), residual_of((3, 3), 2.0, 0), None)
    display = SpectrumDisplay.from_estimator(free)
    assert display.bands_ == {}
    np.testing.assert_allclose(
        display.spectra["P + R"], np.linalg.svd(np.eye(3) + free.residual_)[1]
    )
    with pytest.raises(NotFittedError):
        SpectrumDisplay.from_estimator(PCA())
    pca = PCA(2).fit(np.random.default_rng(0).standard_normal((9, 3)))
    np.testing.assert_allclose(SpectrumDisplay.from_estimator(pca, name="a").spectra["a"], 1.0)


def test_sequence_is_numbered_and_axes_kept():
    from matplotlib import pyplot as plt

    _, ax = plt.subplots()
    display = SpectrumDisplay([[2.0, 1.0], [3.0]]).plot(ax, yscale="log")
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert list(display.lines_) == [1, 2]
    assert ax.get_yscale() == "log"
    assert display.lines_[1].get_linestyle() != display.lines_[2].get_linestyle()


def test_zero_is_on_the_linear_axis_only():
    display = SpectrumDisplay([[1.0, 0.5, 1e-17]])
    assert display.plot().ax_.get_ylim()[0] == 0
    np.testing.assert_array_equal(display.lines_[1].get_ydata(), [1.0, 0.5, 1e-17])
    assert display.plot(yscale="log").ax_.get_ylim()[0] > 0.1
    np.testing.assert_array_equal(display.lines_[1].get_ydata(), [1.0, 0.5, np.nan])


def test_equal_intervals_share_a_band():
    spectra = {"a": [1.1, 1.0], "b": [1.2, 0.8], "c": [0.3, 0.1], "d": [2.0]}
    intervals = {"a": ([0.5, 0.5], [1.5, 1.5]), "b": ([0.5, 0.5], [1.5, 1.5])}
    intervals |= {"c": ([0.1, 0.1], [0.3, 0.3]), "d": ([1.0], [3.0])}
    display = SpectrumDisplay(spectra, intervals=intervals).plot()
    assert display.bands_["a"] is display.bands_["b"]
    assert len(display.ax_.collections) == 3
    assert display.bands_["a"].get_label() == "certified for a, b"
    assert display.bands_["c"].get_label() == "certified for c"


@pytest.mark.parametrize(
    ("spectra", "intervals", "message"),
    [
        ({}, None, "spectra must hold at least one entry"),
        ({"a": [1.0, 2.0]}, None, r"spectra\['a'\] must be singular values"),
        ({"a": [1.0, -2.0]}, None, r"spectra\['a'\] must be singular values"),
        ({"a": [[1.0]]}, None, r"spectra\['a'\] must be singular values"),
        ({"a": [np.inf]}, None, r"spectra\['a'\] contains infinity"),
        ({"a": [1.0]}, {"b": ([0.0], [1.0])}, r"named as the spectra, \['a'\]; got 'b'"),
        ({"a": [1.0]}, {"a": ([0.0, 1.0], [1.0, 1.0])}, r"intervals\['a'\] must be a pair"),
        ({"a": [1.0]}, {"a": ([2.0], [1.0])}, r"intervals\['a'\] must be a pair"),
        ({"a": [1.0]}, {"a": 3}, r"intervals\['a'\] must be a pair"),
    ],
)
def test_bad_data(spectra, intervals, message):
    with pytest.raises(ValueError, match=message):
        SpectrumDisplay(spectra, intervals=intervals)


@pytest.mark.parametrize("residual_bound", [None, 0, 1.5])
def test_shortcut_needs_its_bound(residual_bound):
    with pytest.raises(ValueError, match=rf"residual_bound must lie in .*{residual_bound}"):
        SpectrumDisplay.from_dictionaries(
            {"a": np.eye(2)}, shortcuts={"a": np.eye(2)}, residual_bound=residual_bound
        )
