import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.image import extract_patches_2d

from sklearn_resnet_sc.datasets import extract_patches


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, shape).astype(np.uint8) for shape in [(20, 31), (16, 12)]]


def as_set(patches):
    return {tuple(row) for row in patches.tolist()}


def test_all_patches_are_scikit_learn_s(images):
    # Reference: scikit-learn's extract_patches_2d, image by image.
    patches = extract_patches(images, (5, 3), remove_mean=False, flat_threshold=None)
    expected = [extract_patches_2d(image, (5, 3)).reshape(-1, 15) for image in images]
    np.testing.assert_array_equal(patches, np.concatenate(expected))


def test_stride_is_every_such_position(images):
    patches = extract_patches(
        images[0], (4, 4), stride=(4, 5), remove_mean=False, flat_threshold=None
    )
    expected = [
        images[0][i : i + 4, j : j + 4].ravel() for i in range(0, 17, 4) for j in range(0, 28, 5)
    ]
    np.testing.assert_array_equal(patches, expected)


@settings(max_examples=50, deadline=None)
@given(
    height=st.integers(4, 14),
    width=st.integers(4, 14),
    patch_height=st.integers(1, 4),
    patch_width=st.integers(2, 4),
    stride=st.integers(1, 3),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**16),
)
def test_a_draw_is_a_subset_without_repetition(
    height, width, patch_height, patch_width, stride, dtype, seed
):
    # All pixels differ, so all patches do, and a repeated position would show.
    rng = np.random.default_rng(seed)
    image = rng.permutation(height * width).reshape(height, width).astype(dtype)
    options = {"patch_size": (patch_height, patch_width), "stride": stride}
    options |= {"remove_mean": False, "flat_threshold": None}
    everything = extract_patches(image, **options)
    n_patches = int(rng.integers(1, len(everything) + 1))
    drawn = extract_patches(image, n_patches=n_patches, random_state=seed, **options)
    assert drawn.dtype == everything.dtype == dtype
    assert drawn.shape == (n_patches, patch_height * patch_width)
    assert len(as_set(drawn)) == n_patches
    assert as_set(drawn) <= as_set(everything)
    centred = extract_patches(image, **{**options, "remove_mean": True})
    assert np.abs(centred.mean(axis=1)).max() <= 1e-6 * image.max()


def test_a_draw_reaches_every_image(images):
    named = {"dark": images[0] // 8, "bright": 255 - images[1] // 8}
    drawn = extract_patches(named, (4, 4), n_patches=300, remove_mean=False, random_state=0)
    share = (drawn.mean(axis=1) > 128).mean()
    n_dark, n_bright = 17 * 28, 13 * 9
    assert share == pytest.approx(n_bright / (n_dark + n_bright), abs=0.05)


def test_flat_patches_are_dropped_and_others_kept():
    image = np.full((16, 32), 100.0)
    image[:, 16:] += np.arange(16) % 2  # around the mean: ||x||_1 = 64/2 in every such patch
    patches = extract_patches(image, stride=8, flat_threshold=32.0)
    assert patches.shape == (4, 64)
    np.testing.assert_array_equal(np.abs(patches).sum(axis=1), 32.0)
    assert extract_patches(image, stride=8, flat_threshold=32.1).shape == (0, 64)
    assert extract_patches(image, stride=8, flat_threshold=None).shape == (8, 64)
    drawn = extract_patches(image, stride=8, n_patches=4, random_state=1)
    np.testing.assert_array_equal(np.abs(drawn).sum(axis=1), 32.0)


def test_flatness_ignores_the_mean():
    bright = np.full((8, 8), 255)
    assert extract_patches(bright, remove_mean=False).shape == (0, 64)


def test_same_seed_same_patches(images):
    first = extract_patches(images, n_patches=100, random_state=3)
    np.testing.assert_array_equal(first, extract_patches(images, n_patches=100, random_state=3))
    assert not np.array_equal(first, extract_patches(images, n_patches=100, random_state=4))
    # A longer draw starts with the shorter one.
    np.testing.assert_array_equal(
        first, extract_patches(images, n_patches=150, random_state=3)[:100]
    )


@pytest.mark.parametrize(
    ("image_dtype", "dtype", "expected"),
    [
        (np.uint8, None, np.float64),
        (np.float32, None, np.float32),
        (np.float64, None, np.float64),
        (np.float32, np.float64, np.float64),
        (np.uint8, "float32", np.float32),
    ],
)
def test_dtype(images, image_dtype, dtype, expected):
    image = images[0].astype(image_dtype)
    assert extract_patches(image, dtype=dtype).dtype == expected
    assert extract_patches(image, n_patches=3, dtype=dtype).dtype == expected


def test_images_are_left_alone(images):
    image = images[0].astype(np.float64)
    before = image.copy()
    extract_patches(image)[:] = 0
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patch_size": 8}, r"patch_size must be two positive integers .* got 8"),
        ({"patch_size": (8, 0)}, r"patch_size must be .* got \(8, 0\)"),
        ({"patch_size": (8.0, 8.0)}, r"patch_size must be"),
        ({"patch_size": (1, 1)}, r"patch_size must be .* at least two pixels"),
        ({"patch_size": (8, 8, 3)}, r"patch_size must be"),
        ({"patch_size": (17, 8)}, r"as large as patch_size=\(17, 8\); image 1 has shape \(16, 12"),
        ({"stride": 0}, r"stride must be a positive integer .* got 0"),
        ({"stride": (1, 2, 3)}, r"stride must be"),
        ({"stride": 1.5}, r"stride must be"),
        ({"n_patches": 0}, r"n_patches must be a positive integer or None; got 0"),
        ({"n_patches": True}, r"n_patches must be a positive integer or None; got True"),
        ({"n_patches": 10_000}, r"here 357 of 357 positions; got 10000"),
        ({"flat_threshold": -1.0}, r"flat_threshold must be .* got -1.0"),
        ({"flat_threshold": np.nan}, r"flat_threshold must be .* got nan"),
        ({"flat_threshold": "low"}, r"flat_threshold must be .* got 'low'"),
        ({"dtype": np.int32}, r"dtype must be float32, float64 or None; got int32"),
    ],
)
def test_bad_arguments(images, arguments, message):
    with pytest.raises(ValueError, match=message):
        extract_patches(images, **arguments)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "at least one image"),
        ({}, "at least one image"),
        (np.zeros((2, 20, 20, 3)), r"image 0 has shape \(20, 20, 3\)"),
        ({"bad": np.zeros(64)}, r"image 'bad' has shape \(64,\)"),
        ([np.zeros((9, 9)), np.full((9, 9), np.nan)], "image 1 contains NaN"),
        ([np.zeros((9, 9), dtype=complex)], "image 0 has dtype complex128"),
    ],
)
def test_bad_images(images, message):
    with pytest.raises(ValueError, match=message):
        extract_patches(images)
