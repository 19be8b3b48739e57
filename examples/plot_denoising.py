"""
Denoising a photograph
======================

Noise is taken out of a photograph by coding every overlapping patch to the error that the noise
has, and averaging: the method of Elad and Aharon (2006). Dictionaries: cosines, and a plain and
a residual one learned from other photographs. Next to them, non-local means and wavelets of
scikit-image.
"""

# %%
# The photograph and the noise: Gaussian, of standard deviation 25 of 255.

from importlib.util import find_spec

import numpy as np
from matplotlib import pyplot as plt
from skimage.restoration import denoise_nl_means, denoise_wavelet
from sklearn.feature_extraction.image import extract_patches_2d, reconstruct_from_patches_2d

from sklearn_resnet_sc import ResidualDictionaryLearning, sparse_encode
from sklearn_resnet_sc.datasets import extract_patches, train_test_images
from sklearn_resnet_sc.learning import dct_dictionary

NOISE = 25.0
train_images, test_images = train_test_images()
clean = test_images["astronaut"][20:276, 100:356].astype(np.float64)
noisy = clean + NOISE * np.random.default_rng(0).standard_normal(clean.shape)


def psnr(image):
    return 10 * np.log10(255**2 / np.mean((image - clean) ** 2))


# %%
# Learn from clean patches of other photographs, with four atoms a patch.

train = extract_patches(train_images, (8, 8), n_patches=10_000, random_state=0)
settings = {"n_components": 256, "fit_n_nonzero_coefs": 4, "max_iter": 10, "random_state": 0}
dictionaries = {
    "DCT": dct_dictionary(256, 64),
    "plain dictionary": ResidualDictionaryLearning(shortcut=None, **settings)
    .fit(train)
    .components_,
    "DCT + residual": ResidualDictionaryLearning(shortcut="dct", **settings).fit(train).components_,
}

# %%
# Every 8 x 8 patch, less its mean, is coded by orthogonal matching pursuit until the squared
# error is that of the noise, with the usual factor of 1.15 on its length; then all overlapping
# patches are averaged.


def denoise(dictionary):
    patches = extract_patches_2d(noisy, (8, 8)).reshape(-1, 64)
    means = patches.mean(axis=1, keepdims=True)
    code = sparse_encode(
        patches - means,
        dictionary,
        algorithm="omp",
        tol=64 * (1.15 * NOISE) ** 2,
        n_nonzero_coefs=32,
        sparse_output=True,
    )
    restored = code @ dictionary + means
    return reconstruct_from_patches_2d(restored.reshape(-1, 8, 8), clean.shape), code


results, n_atoms = {"noisy": noisy}, {}
for name, dictionary in dictionaries.items():
    results[name], code = denoise(dictionary)
    n_atoms[name] = code.nnz / code.shape[0]

# %%
# The rivals get what helps them: wavelets are averaged over shifts, and the strength of
# non-local means is the best of several, chosen with the clean picture in hand.

if find_spec("pywt") is not None:  # scikit-image needs PyWavelets for this
    options = {"sigma": NOISE / 255, "method": "BayesShrink", "rescale_sigma": True}
    shifts = [(down, right) for down in range(4) for right in range(4)]
    results["wavelets"] = 255 * np.mean(
        [
            np.roll(
                denoise_wavelet(np.roll(noisy / 255, shift, (0, 1)), **options),
                np.negative(shift),
                (0, 1),
            )
            for shift in shifts
        ],
        axis=0,
    )
options = {"sigma": NOISE / 255, "patch_size": 5, "patch_distance": 6, "fast_mode": False}
results["non-local means"] = max(
    (
        255 * denoise_nl_means(noisy / 255, h=strength * NOISE / 255, **options)
        for strength in (0.8, 1.0, 1.2, 1.4, 1.6)
    ),
    key=psnr,
)

for name, image in results.items():
    atoms = f"   {n_atoms[name]:.2f} atoms a patch" if name in n_atoms else ""
    print(f"{name:18}{psnr(image):6.2f} dB{atoms}")

# %%
# The pictures; the error is shown from -50, black, to 50, white.

figure, axes = plt.subplots(2, 4, figsize=(12, 6.4), layout="constrained")
for axis, (name, image) in zip(axes.flat, [("clean", clean), *results.items()], strict=False):
    axis.imshow(image, cmap="gray", vmin=0, vmax=255)
    axis.set_title(name if name == "clean" else f"{name}, {psnr(image):.2f} dB", fontsize=10)
best = max(results, key=lambda name: psnr(results[name]))
axes.flat[-1].imshow(results[best] - clean, cmap="gray", vmin=-50, vmax=50)
axes.flat[-1].set_title(f"error of {best}", fontsize=10)
for axis in axes.flat:
    axis.set_axis_off()

# %%
# Which is best is computed, not assumed.

ranking = sorted(results, key=lambda name: -psnr(results[name]))
print(f"Best: {ranking[0]}, {psnr(results[ranking[0]]):.2f} dB; then {', '.join(ranking[1:])}.")
gap = psnr(results["plain dictionary"]) - psnr(results["DCT + residual"])
print(f"The bound on the residual costs {gap:.2f} dB here.")
