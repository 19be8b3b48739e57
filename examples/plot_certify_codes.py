"""
What is certain about the codes of an image
===========================================

A pursuit returns a code for every patch. Is it the only one so sparse? How far can another code of
the same patch be, and how much noise may the patch bear before another set of atoms is selected?
Coherence is silent about most codes in an overcomplete dictionary; certificates of the actual code
are not.
"""

# %%
# A photograph is cut into tiles of 8 x 8 pixels, and each tile, without its mean, is coded with at
# most four atoms of the overcomplete cosine transform.

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import ListedColormap, LogNorm

from sklearn_resnet_sc import sparse_encode
from sklearn_resnet_sc.datasets import train_test_images
from sklearn_resnet_sc.learning import dct_dictionary
from sklearn_resnet_sc.theory import certify

_, test_images = train_test_images()
name = sorted(test_images)[0]
image = test_images[name]
n_rows, n_columns = (length // 8 for length in image.shape)
tiles = image[: 8 * n_rows, : 8 * n_columns].reshape(n_rows, 8, n_columns, 8).swapaxes(1, 2)
signals = tiles.reshape(-1, 64).astype(float)
signals -= signals.mean(axis=1, keepdims=True)
dictionary = dct_dictionary(256, 64)
codes = sparse_encode(signals, dictionary, algorithm="omp", n_nonzero_coefs=4, tol=64 * 3.0**2)

# %%
# The certificate, in sentences. Uniqueness is about codes of exactly what the code represents; the
# distances allow a competitor that is as far from the patch as the code is.

certificate = certify(dictionary, codes, signals=signals)
print(certificate)

# %%
# The same tile by tile. Middle: the strongest statement. A code of one atom is unique by
# coherence; where the exact recovery condition holds for the support, greedy and basis pursuit
# find every code on it from what it represents; where both are silent, the margins of the pursuit
# still say by how much it preferred these atoms. Right: how much noise, in grey levels per pixel,
# orthogonal matching pursuit bears before it selects others.

layer = certificate.layers[0]
statements = ["nothing to code", "unique", "exact recovery", "margins only"]
kind = np.full(len(codes), 3)
kind[layer.exact_recovery < 1] = 2
kind[layer.unique] = 1
kind[layer.n_nonzero == 0] = 0
margin = np.where(layer.n_nonzero > 0, layer.greedy_noise_radius / 8, np.nan)

figure, axes = plt.subplots(1, 3, figsize=(13, 5), layout="constrained")
axes[0].imshow(image, cmap="gray")
axes[0].set_title(name)
colors = ListedColormap(["0.85", "C0", "C2", "C1"])
drawn = axes[1].imshow(kind.reshape(n_rows, n_columns), cmap=colors, vmin=-0.5, vmax=3.5)
bar = figure.colorbar(drawn, ax=axes[1], location="bottom", ticks=range(4))
bar.ax.set_xticklabels([f"{text}\n{np.mean(kind == i):.0%}" for i, text in enumerate(statements)])
axes[1].set_title("strongest statement about the code")
drawn = axes[2].imshow(margin.reshape(n_rows, n_columns), norm=LogNorm(0.01, 10), cmap="viridis")
figure.colorbar(drawn, ax=axes[2], location="bottom", extend="both", label="grey levels")
axes[2].set_title("noise that keeps the support")
for ax in axes:
    ax.set(xticks=[], yticks=[])
plt.show()

# %%
# One tile in words, the safest of those with four atoms, and the table behind it all.

four = np.flatnonzero(layer.n_nonzero == 4)
print(certificate.describe(int(four[np.argmax(margin[four])])))

frame = certificate.to_frame()
frame["recovered"] = frame["exact_recovery"] < 1
columns = ["unique", "recovered", "sigma_min", "greedy_noise_radius"]
share = {"unique": "mean", "recovered": "mean"}
median = {"sigma_min": "median", "greedy_noise_radius": "median"}
frame[frame["n_nonzero"] > 0].groupby("n_nonzero")[columns].agg(share | median).round(3)
