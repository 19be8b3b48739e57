"""
Noise at the input of four layers, from none to 30 %
====================================================

How far does a network's deepest layer move when its input does? The paper prints a formula, the
theory of non-expansive maps gives a bound, and here both meet what is measured, on signals that
were made and on patches of photographs.
"""

# %%
# Four layers ``T_i = soft(T_{i-1} D_i)`` with residual dictionaries ``I + R_i``, unit atoms, and
# ``||R_i||_2`` small: coherences are about 0.03, so that the printed formula says something at all.
# Soft thresholding keeps the codes sparse. The planted inputs have three entries out of 64, signs
# at random; the real ones are patches of photographs, each in its three best cosines.

import numpy as np
from matplotlib import pyplot as plt

from sklearn_resnet_sc import DeepCodingSolver, sparse_encode
from sklearn_resnet_sc.datasets import (
    extract_patches,
    make_planted_dictionary_signals,
    train_test_images,
)
from sklearn_resnet_sc.learning import dct_dictionary
from sklearn_resnet_sc.theory import error_propagation_bound, mutual_coherence

rng = np.random.default_rng(0)
n_layers, n_units = 4, 64


def residual_layer():
    branch = rng.standard_normal((n_units, n_units))
    layer = np.eye(n_units) + 0.1 * branch / np.linalg.norm(branch, 2)
    return layer / np.linalg.norm(layer, axis=1, keepdims=True)


stack = [residual_layer() for _ in range(n_layers)]
_, test_images = train_test_images()
patches = extract_patches(test_images, (8, 8), n_patches=300, random_state=0)
inputs = {
    "planted": make_planted_dictionary_signals(
        300, n_units, n_units, 3, coefficients="signs", random_state=0
    )[2],
    "photographs": sparse_encode(
        patches, dct_dictionary(n_units, n_units), algorithm="omp", n_nonzero_coefs=3
    ),
}

# %%
# Errors are squares of lengths, relative to that of the input without noise. The printed
# formula is ``||D_1||^2 eps^2 / 4 prod A_i`` with ``A_i = 1 - (2 s_i - 1) mu``, below one; what
# holds for every noise is ``eps^2 prod ||D_i||^2``. The sparsities s_i are each signal's own.

levels = np.linspace(0, 0.3, 13)


network = DeepCodingSolver(stack, model="forward", pursuit="threshold", alpha=0.05)


def layer_codes(signals):
    """Codes of all layers; thresholds are 5 % of the largest entry of a signal, which is one."""
    return [codes.toarray() for codes in network.solve(signals).codes]


def deepest(signals):
    return layer_codes(signals)[-1]


def formula(codes, squared_noise):
    """What the paper prints for each signal."""
    value = np.linalg.norm(stack[0], 2) ** 2 * squared_noise / 4
    for layer, code in zip(stack[1:], codes, strict=False):
        count = np.count_nonzero(code, axis=1)
        value = value * np.maximum(1 - (2 * count - 1) * mutual_coherence(layer), 0)
    return value


# %%
# The noise is Gaussian, of the length that the axis says: once spread over all entries, of which
# the thresholds remove most, once on the entries in use, which they let through. The first kind
# stays below even the printed formula; a bound must hold for every noise, and the second breaks it.


def moved(clean, codes, noise):
    """Squared error of the deepest layer over the squared input, of each signal."""
    energy = np.sum(clean**2, axis=1)
    largest = np.abs(clean).max(axis=1, keepdims=True)
    return np.sum((deepest((clean + noise) / largest) * largest - codes) ** 2, axis=1) / energy


figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True, layout="constrained")
for ax, (name, clean) in zip(axes, inputs.items(), strict=True):
    largest = np.abs(clean).max(axis=1, keepdims=True)
    codes = [layer * largest for layer in layer_codes(clean / largest)]
    lengths = np.linalg.norm(clean, axis=1, keepdims=True)
    directions = {
        "noise on all entries": rng.standard_normal(clean.shape),
        "noise on entries in use": rng.standard_normal(clean.shape) * (clean != 0),
    }
    measured = {kind: [] for kind in directions}
    n_above = n_measured = 0
    for level in levels:
        printed = formula(codes, level**2)
        bound = error_propagation_bound(stack, noise=level).squared_error[-1]
        for kind, direction in directions.items():
            noise = level * lengths * direction / np.linalg.norm(direction, axis=1, keepdims=True)
            error = moved(clean, codes[-1], noise)
            measured[kind].append(np.median(error))
            if error.max() > bound * (1 + 1e-9):
                raise RuntimeError("a theorem is broken")
            if level and kind == "noise on entries in use":
                n_above += np.count_nonzero(error > printed)
                n_measured += len(error)
    bounds = [error_propagation_bound(stack, noise=level).squared_error[-1] for level in levels]
    formulas = [np.median(formula(codes, level**2)) for level in levels]
    ax.plot(levels, bounds, "k-", label="corrected bound")
    for kind, style in zip(measured, ("o-", "s-"), strict=True):
        ax.plot(levels, measured[kind], style, label=f"measured, {kind}")
    ax.plot(levels, formulas, "v--", color="C3", label="printed formula")
    ax.set(title=name, xlabel="noise, relative to the input")
    print(f"{name}: with noise on the entries in use the error is above the printed formula in")
    print(f"    {n_above / n_measured:.0%} of cases, and never above the corrected bound")
axes[0].set(ylabel="squared error of layer 4 / squared input, median")
axes[0].legend()
plt.show()
