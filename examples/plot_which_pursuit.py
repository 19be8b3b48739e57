"""
Which pursuit to choose
=======================

Every pursuit trades error, atoms and time against each other. This example codes patches of real
photographs in one dictionary with each of them, for several numbers of atoms, and shows what they
reach and what they cost.

In short: ``"omp"`` for a given number of atoms or a given error, ``"ols"`` where the last tenth of
a decibel is worth some time, and ``"lasso_lars"`` where codes must depend continuously on the
signal, or come with a certificate of optimality. Thresholds are for orthonormal atoms: in this
dictionary, whose atoms are alike, they are neither good nor much faster.
"""

# %%
# Patches and a dictionary
# ------------------------
# Patches of 8 x 8 pixels without their mean, and four times as many cosines as a patch has pixels.

import time

import matplotlib.pyplot as plt
import numpy as np

from sklearn_resnet_sc import sparse_encode
from sklearn_resnet_sc.datasets import extract_patches, train_test_images
from sklearn_resnet_sc.learning import dct_dictionary

_, images = train_test_images()
patches = extract_patches(images, (8, 8), n_patches=4000, random_state=0)
dictionary = dct_dictionary(256, 64)

# %%
# Few atoms and many
# ------------------
# Greedy pursuits take the number of atoms. For the lasso a path of penalties gives codes of every
# size; it also shrinks them, so that it needs more atoms for the same error.


def psnr(code):
    error = np.mean((patches - code @ dictionary) ** 2)
    return 10 * np.log10(255**2 / error)


def timed(**options):
    sparse_encode(patches[:64], dictionary, **options)  # compile before the clock starts
    start = time.perf_counter()
    code = sparse_encode(patches, dictionary, sparse_output=True, n_jobs=2, **options)
    seconds = time.perf_counter() - start
    return code.nnz / code.shape[0], psnr(code), 1e6 * seconds / len(patches)


counts = (1, 2, 3, 5, 8, 12)
curves = {}
for algorithm in ("hard_threshold", "mp", "omp", "ols", "cosamp"):
    curves[algorithm] = [timed(algorithm=algorithm, n_nonzero_coefs=count) for count in counts]
curves["lasso_lars"] = [
    timed(algorithm="lasso_lars", alpha=alpha) for alpha in (240, 160, 80, 40, 20, 10)
]

# %%
# The picture: to the left, higher is better; to the right, the time that it took.

figure, (quality, cost) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for algorithm, points in curves.items():
    atoms, decibels, microseconds = np.transpose(points)
    quality.plot(atoms, decibels, marker="o", markersize=3, label=algorithm)
    cost.loglog(atoms, microseconds, marker="o", markersize=3, label=algorithm)
quality.set(xlabel="atoms per patch", ylabel="PSNR [dB]", title="What it reaches")
quality.set(xlim=(0, 16), ylim=(14, 36))
cost.set(xlabel="atoms per patch", ylabel="microseconds per patch", title="What it costs")
cost.set_xlim(0.8, 16)
quality.legend()
plt.show()

# %%
# The same as a table, at five atoms or near them.

print(f"{'pursuit':>15} {'atoms':>6} {'PSNR':>6} {'us':>7}")
for algorithm, points in curves.items():
    atoms, decibels, microseconds = points[3]
    print(f"{algorithm:>15} {atoms:6.1f} {decibels:6.2f} {microseconds:7.2f}")
