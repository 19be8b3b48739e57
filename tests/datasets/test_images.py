import importlib.util

import numpy as np
import pytest

from sklearn_resnet_sc.datasets import load_sample_images, train_test_images


@pytest.fixture(scope="module")
def images():
    return load_sample_images()


def test_sample_images_are_grey_photographs(images):
    assert len(images) >= 8
    assert list(images) == sorted(images)
    for image in images.values():
        assert image.dtype == np.uint8
        assert image.ndim == 2
        assert min(image.shape) >= 256
        assert image.std() > 10  # a picture, not an empty canvas


def test_images_can_be_written_to(images):
    image = images["camera"].copy()
    assert images["camera"].flags.writeable
    load_sample_images()["camera"][:] = 0
    np.testing.assert_array_equal(load_sample_images()["camera"], image)


def test_grey_image_is_scikit_image_s_own(images):
    skimage_data = pytest.importorskip("skimage.data")
    np.testing.assert_array_equal(images["camera"], skimage_data.camera())
    np.testing.assert_array_equal(images["gravel"], skimage_data.gravel())


def test_colour_is_turned_to_grey_by_luma(images):
    # Reference: the BT.601 weights applied to scikit-learn's own colour image.
    from sklearn.datasets import load_sample_image

    expected = load_sample_image("china.jpg") @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(images["china"], expected, atol=1.0)


def test_train_and_test_are_disjoint_and_known(images):
    train, test = train_test_images()
    assert set(train) | set(test) == set(images)
    assert not set(train) & set(test)
    for name, image in {**train, **test}.items():
        np.testing.assert_array_equal(image, images[name])


@pytest.mark.parametrize(("module", "package"), [("skimage", "scikit-image"), ("PIL", "pillow")])
@pytest.mark.parametrize("load", [load_sample_images, train_test_images])
def test_missing_package_names_the_extra(monkeypatch, load, module, package):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == module else find_spec(name)
    )
    with pytest.raises(ImportError, match=rf"{package}.*sklearn-resnet-sc\[reproduce\]"):
        load()
