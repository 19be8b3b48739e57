"""Patches of images as rows of a matrix."""

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.utils import check_random_state


def _is_count(value, minimum=1):
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= minimum


def _check_patch_size(patch_size):
    try:
        height, width = patch_size
    except (TypeError, ValueError):
        height = width = None
    if not (_is_count(height) and _is_count(width) and height * width >= 2):
        raise ValueError(
            "patch_size must be two positive integers (height, width) with at least two pixels "
            f"together; got {patch_size!r}"
        )
    return int(height), int(width)


def _check_stride(stride):
    pair = (stride, stride) if isinstance(stride, Integral) else stride
    try:
        down, right = pair
    except (TypeError, ValueError):
        down = right = None
    if not (_is_count(down) and _is_count(right)):
        raise ValueError(
            f"stride must be a positive integer or two of them (down, right); got {stride!r}"
        )
    return int(down), int(right)


def _check_images(images, patch_size):
    """List of two-dimensional finite arrays, none smaller than a patch."""
    if isinstance(images, Mapping):
        named = list(images.items())
    elif isinstance(images, np.ndarray) and images.ndim == 2:
        named = [(0, images)]
    else:
        named = list(enumerate(images))
    if not named:
        raise ValueError("images must hold at least one image; got none")
    checked = []
    for name, image in named:
        image = np.asarray(image)
        if image.ndim != 2:
            raise ValueError(
                f"images must be grey, of shape (height, width); image {name!r} has shape "
                f"{image.shape}"
            )
        if image.dtype.kind not in "uif":
            raise ValueError(
                f"images must hold integers or floats; image {name!r} has dtype {image.dtype}"
            )
        if image.shape[0] < patch_size[0] or image.shape[1] < patch_size[1]:
            raise ValueError(
                f"images must be at least as large as patch_size={patch_size}; image {name!r} has "
                f"shape {image.shape}"
            )
        if image.dtype.kind == "f" and not np.isfinite(image).all():
            raise ValueError(f"images must be finite; image {name!r} contains NaN or infinity")
        checked.append(image)
    return checked


def _output_dtype(images, dtype):
    if dtype is None:
        single = all(image.dtype == np.float32 for image in images)
        return np.dtype(np.float32 if single else np.float64)
    dtype = np.dtype(dtype)
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"dtype must be float32, float64 or None; got {dtype}")
    return dtype


def _gather(windows, offsets, positions, dtype):
    """Rows of patches at flat positions that run over all images, in the order given."""
    n_features = windows[0].shape[2] * windows[0].shape[3]
    patches = np.empty((positions.size, n_features), dtype=dtype)
    for window, start, stop in zip(windows, offsets[:-1], offsets[1:], strict=True):
        here = np.flatnonzero((positions >= start) & (positions < stop))
        row, column = np.divmod(positions[here] - start, window.shape[1])
        patches[here] = window[row, column].reshape(here.size, n_features)
    return patches


def _prepare(patches, remove_mean, flat_threshold):
    """Take the mean off and drop the flat rows; flatness is always judged without the mean."""
    centred = patches - patches.mean(axis=1, keepdims=True)
    if flat_threshold is not None:
        textured = np.abs(centred).sum(axis=1) >= flat_threshold
        return (centred if remove_mean else patches)[textured]
    return centred if remove_mean else patches


def extract_patches(
    images,
    patch_size=(8, 8),
    *,
    n_patches=None,
    stride=1,
    remove_mean=True,
    flat_threshold=5.0,
    random_state=None,
    dtype=None,
):
    """Cut patches out of grey images and lay each one out as a row.

    Parameters
    ----------
    images : ndarray of shape (height, width), sequence of them, or mapping of name to them
        Integer or floating point grey images; their sizes may differ.
    patch_size : tuple of two int, default=(8, 8)
        Height and width of a patch.
    n_patches : int or None, default=None
        How many patches to draw at random, without replacement and uniformly over all
        positions of all images that are not flat. ``None`` returns all of them, image by
        image and row by row.
    stride : int or tuple of two int, default=1
        Distance between neighbouring positions, down and to the right. With the patch size
        as stride the patches do not overlap.
    remove_mean : bool, default=True
        Whether each patch loses its own mean.
    flat_threshold : float or None, default=5.0
        A patch ``x`` is flat and dropped where ``||x - mean(x)||_1 < flat_threshold``, in
        units of the pixel values: the default is meant for pixels from 0 to 255. ``None``
        keeps all patches.
    random_state : int, RandomState instance or None, default=None
        Decides which patches are drawn; unused where ``n_patches`` is ``None``.
    dtype : {float32, float64} or None, default=None
        Type of the result. ``None`` means float32 where every image is float32, and float64
        otherwise.

    Returns
    -------
    patches : ndarray of shape (n_patches, height * width)
        One patch a row, pixels row by row.

    Raises
    ------
    ValueError
        If a parameter is out of range, an image is not grey, not finite or smaller than a
        patch, or the images hold fewer patches that are not flat than ``n_patches``.

    See Also
    --------
    load_sample_images : Photographs to cut patches from.

    Notes
    -----
    Patches of 8x8 pixels without their mean, and without those where ``||x||_1 < 5``, are the
    training and test vectors of Skretting and Engan [1]_.

    References
    ----------
    .. [1] K. Skretting and K. Engan, "Learned dictionaries for sparse image representation:
       properties and results", Proc. SPIE 8138, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.datasets import extract_patches
    >>> image = np.arange(400).reshape(20, 20) % 7
    >>> extract_patches(image, n_patches=10, random_state=0).shape
    (10, 64)
    >>> extract_patches(image, (10, 10), stride=10).shape
    (4, 100)
    """
    patch_size = _check_patch_size(patch_size)
    down, right = _check_stride(stride)
    if n_patches is not None and not _is_count(n_patches):
        raise ValueError(f"n_patches must be a positive integer or None; got {n_patches!r}")
    if flat_threshold is not None and not (
        isinstance(flat_threshold, Real) and 0 <= flat_threshold < np.inf
    ):
        raise ValueError(
            f"flat_threshold must be a non-negative number or None; got {flat_threshold!r}"
        )
    images = _check_images(images, patch_size)
    dtype = _output_dtype(images, dtype)
    windows = [sliding_window_view(image, patch_size)[::down, ::right] for image in images]
    offsets = np.cumsum([0] + [window.shape[0] * window.shape[1] for window in windows])

    if n_patches is None:
        return np.concatenate(
            [
                _prepare(
                    _gather([window], [0, stop - start], np.arange(stop - start), dtype),
                    remove_mean,
                    flat_threshold,
                )
                for window, start, stop in zip(windows, offsets[:-1], offsets[1:], strict=True)
            ]
        )

    # A shuffled queue of all positions; flat patches are skipped until enough are found, so
    # only about as many patches as asked for are ever held.
    queue = check_random_state(random_state).permutation(offsets[-1])
    found, n_found, head = [], 0, 0
    while n_found < n_patches and head < queue.size:
        positions = queue[head : head + max(n_patches, 1024)]
        head += positions.size
        drawn = _prepare(_gather(windows, offsets, positions, dtype), remove_mean, flat_threshold)
        found.append(drawn[: n_patches - n_found])
        n_found += found[-1].shape[0]
    if n_found < n_patches:
        raise ValueError(
            f"n_patches must be at most the number of patches that are not flat, here {n_found} "
            f"of {queue.size} positions; got {n_patches}"
        )
    return np.concatenate(found)
