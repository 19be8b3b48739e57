import numpy as np
import pytest
from sklearn.decomposition import DictionaryLearning
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state

from sklearn_resnet_sc.plotting import DictionaryDisplay


@pytest.fixture
def dictionary():
    return check_random_state(0).standard_normal((10, 12))


def test_every_atom_is_a_tile_scaled_by_its_own_range(dictionary):
    display = DictionaryDisplay(dictionary, patch_size=(3, 4)).plot(n_columns=4)
    mosaic = display.image_.get_array()
    assert mosaic.shape == (3 * 4 + 1, 4 * 5 + 1)
    for index, atom in enumerate(dictionary):
        row, column = divmod(index, 4)
        tile = mosaic[row * 4 + 1 : row * 4 + 4, column * 5 + 1 : column * 5 + 5]
        np.testing.assert_allclose(tile, atom.reshape(3, 4) / np.abs(atom).max())
    # All the rest, the gaps and the two places without an atom, is masked out.
    assert (~np.ma.getmaskarray(mosaic)).sum() == dictionary.size
    assert display.image_.get_clim() == (-1, 1)


def test_mosaic_is_about_square(dictionary):
    height, width = DictionaryDisplay(np.ones((64, 64))).plot().image_.get_array().shape
    assert height == width == 8 * 9 + 1
    height, width = (
        DictionaryDisplay(np.ones((48, 32)), patch_size=(2, 16)).plot().image_.get_array().shape
    )
    assert 0.5 < height / width < 2


def test_zero_atom_is_grey_and_no_warning():
    display = DictionaryDisplay(np.zeros((1, 4), dtype=np.float32)).plot()
    np.testing.assert_array_equal(display.image_.get_array()[1:3, 1:3], 0)


def test_axes_given_and_made(dictionary):
    from matplotlib import pyplot as plt

    _, (left, right) = plt.subplots(1, 2)
    display = DictionaryDisplay(dictionary, patch_size=(4, 3)).plot(right, title="Atoms")
    assert display.ax_ is right
    assert display.figure_ is right.figure
    assert right.get_title() == "Atoms"
    assert len(right.images) == 1
    assert not left.images
    assert DictionaryDisplay(dictionary, patch_size=(4, 3)).plot().figure_ is not right.figure


def test_from_dictionary_is_constructor_and_plot(dictionary):
    display = DictionaryDisplay.from_dictionary(dictionary, patch_size=(3, 4), n_columns=3)
    expected = DictionaryDisplay(dictionary, patch_size=(3, 4)).plot(n_columns=3)
    np.testing.assert_array_equal(display.image_.get_array(), expected.image_.get_array())


def test_from_estimator(dictionary):
    estimator = DictionaryLearning(n_components=4, max_iter=2, random_state=0)
    with pytest.raises(NotFittedError):
        DictionaryDisplay.from_estimator(estimator, patch_size=(3, 4))
    estimator.fit(dictionary)
    display = DictionaryDisplay.from_estimator(estimator, patch_size=(3, 4), cmap="viridis")
    np.testing.assert_array_equal(display.dictionary, estimator.components_)
    assert display.image_.get_cmap().name == "viridis"


@pytest.mark.parametrize(
    ("n_features", "patch_size", "message"),
    [
        (12, None, "patch_size must be given where atoms are not square; these have 12 features"),
        (12, (3, 3), r"patch_size .* features, 12; got \(3, 3\)"),
        (12, 12, r"patch_size .* got 12"),
        (12, (-3, -4), r"patch_size .* got \(-3, -4\)"),
        (12, ("a", "b"), r"patch_size .* got \('a', 'b'\)"),
    ],
)
def test_bad_patch_size(n_features, patch_size, message):
    with pytest.raises(ValueError, match=message):
        DictionaryDisplay(np.ones((5, n_features)), patch_size=patch_size)


def test_bad_dictionary():
    with pytest.raises(ValueError, match="Input dictionary contains NaN"):
        DictionaryDisplay([[np.nan, 1.0, 1.0, 1.0]])
    with pytest.raises(ValueError, match="Expected 2D array"):
        DictionaryDisplay(np.ones(4))


@pytest.mark.parametrize("n_columns", [0, 2.5, "many"])
def test_bad_n_columns(dictionary, n_columns):
    with pytest.raises(ValueError, match="n_columns must be a positive integer or None; got"):
        DictionaryDisplay(dictionary, patch_size=(3, 4)).plot(n_columns=n_columns)
