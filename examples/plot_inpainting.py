"""
Inpainting a photograph
=======================

Pixels of a photograph are lost. A dictionary is learned from what is left of its own patches,
with ``missing="mask"``: NaN marks a pixel that was not seen, and learning needs no other
photograph and no filling in beforehand.
"""

# %%
# The photograph, and two copies of it that lost pixels at random.

import numpy as np
from matplotlib import pyplot as plt
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.feature_extraction.image import reconstruct_from_patches_2d

from sklearn_resnet_sc import DictionaryLearning
from sklearn_resnet_sc.datasets import train_test_images

clean = train_test_images()[1]["astronaut"][40:136, 170:266].astype(np.float64)


def lose(share):
    lost = np.random.default_rng(0).random(clean.shape) < share
    return np.where(lost, np.nan, clean)


def error(image, damaged):
    """Root of the mean squared error, over the lost pixels."""
    lost = np.isnan(damaged)
    return np.sqrt(np.mean((image - clean)[lost] ** 2))


# %%
# Every 8 x 8 patch, less the mean of its pixels that are left, is a signal. The dictionary is
# learned from every third; then all are coded, and all overlapping patches are averaged.


def patches_of(image):
    return sliding_window_view(image, (8, 8)).reshape(-1, 64)


def inpaint(damaged):
    patches = patches_of(damaged)
    means = np.nanmean(patches, axis=1, keepdims=True)
    learner = DictionaryLearning(
        96,
        dict_init="dct",
        dictionary_update="mod",
        fit_algorithm="omp",
        fit_n_nonzero_coefs=4,
        transform_n_nonzero_coefs=4,
        max_iter=12,
        missing="mask",
    )
    learner.fit((patches - means)[::3])
    restored = learner.inverse_transform(learner.transform(patches - means)) + means
    image = reconstruct_from_patches_2d(restored.reshape(-1, 8, 8), clean.shape)
    return np.where(np.isnan(damaged), image, damaged)


def fill_by_means(damaged):
    """The rival that needs nothing: each lost pixel is the mean of its patches' other pixels."""
    patches = patches_of(damaged)
    means = np.broadcast_to(np.nanmean(patches, axis=1, keepdims=True), patches.shape)
    image = reconstruct_from_patches_2d(means.reshape(-1, 8, 8), clean.shape)
    return np.where(np.isnan(damaged), image, damaged)


pictures = {}
for share in (0.3, 0.5):
    damaged = lose(share)
    filled, restored = fill_by_means(damaged), inpaint(damaged)
    pictures[share] = damaged, filled, restored
    print(
        f"{share:.0%} lost: error of lost pixels {error(filled, damaged):.1f} by means, "
        f"{error(restored, damaged):.1f} by the dictionary"
    )

# %%
# The pictures, with the error over the lost pixels (grey values from 0 to 255).

figure, axes = plt.subplots(2, 4, figsize=(12, 6.4), layout="constrained")
for row, (share, (damaged, filled, restored)) in zip(axes, pictures.items(), strict=True):
    titles = {
        "clean": clean,
        f"{share:.0%} lost": damaged,
        f"local means, {error(filled, damaged):.1f}": filled,
        f"dictionary, {error(restored, damaged):.1f}": restored,
    }
    for axis, (title, image) in zip(row, titles.items(), strict=True):
        axis.imshow(image, cmap="gray", vmin=0, vmax=255)
        axis.set_title(title, fontsize=10)
        axis.set_axis_off()
