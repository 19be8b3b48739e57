"""What is timed: a pursuit with a stopping rule, on patches of real images."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Task:
    """One row of the benchmark: which codes are asked for, in which precision.

    ``tol`` is a squared residual norm; with a count as well, whichever comes first stops. The
    lasso takes ``alpha`` or ``tol`` and no count, and signals of unit length.
    """

    pursuit: str
    dtype: str
    n_nonzero_coefs: int | None = None
    tol: float | None = None
    alpha: float | None = None

    def __str__(self):
        if self.pursuit == "lasso":
            rule = f"alpha={self.alpha:.4g}" if self.tol is None else f"|r|^2<={self.tol:.4g}"
            return f"lasso {rule} {self.dtype}"
        rule = f"s={self.n_nonzero_coefs}"
        if self.tol is not None:
            rule = f"|r|^2<={self.tol:.4g}, {rule} at most"
        return f"{self.pursuit} {rule} {self.dtype}"


def squared_residual_at(psnr, n_features, peak=255.0):
    """Squared residual norm of a patch at a peak signal-to-noise ratio in decibels."""
    return n_features * peak**2 * 10.0 ** (-psnr / 10.0)


def load_images(folder=None):
    """Grey images by name, and their source: ``images.npz`` of a folder, else the sample images."""
    folder = folder or os.environ.get("SKLEARN_RESNET_SC_DATA")
    path = Path(folder) / "images.npz" if folder else None
    if path is not None and path.exists():
        with np.load(path) as archive:
            return {name: archive[name] for name in archive.files}, path.name
    from sklearn_resnet_sc.datasets import load_sample_images

    return load_sample_images(), "sample images"


def load_problem(n_signals, n_components, *, side, dictionary, folder, seed):
    """Patches without their mean, a dictionary of unit-norm atoms, and where the patches came from.

    Atoms are the overcomplete cosine transform (``"dct"``) or normalised patches that are not
    among the signals (``"data"``).
    """
    from sklearn_resnet_sc.datasets import extract_patches

    images, source = load_images(folder)
    n_drawn = n_signals + (n_components if dictionary == "data" else 0)
    patches = extract_patches(
        images, (side, side), n_patches=n_drawn, random_state=seed, dtype=np.float64
    )
    if dictionary == "data":
        atoms, patches = patches[n_signals:], patches[:n_signals]
        atoms = atoms / np.linalg.norm(atoms, axis=1, keepdims=True)
    else:
        from sklearn_resnet_sc.learning import dct_dictionary

        atoms = dct_dictionary(n_components, side * side)
    return np.ascontiguousarray(patches), np.ascontiguousarray(atoms), source


def unit_lengths(X):
    """Signals scaled to unit length, so that one penalty suits them all."""
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def alpha_at_density(X, dictionary, density):
    """The lasso penalty, to two digits, at which codes have a share `density` of nonzeros."""
    from sklearn_resnet_sc import sparse_encode

    low, high = 1e-4, 1.0
    while high / low > 1.02:
        middle = np.sqrt(low * high)
        code = sparse_encode(
            X[:1000], dictionary, algorithm="lasso_lars", alpha=middle, sparse_output=True
        )
        dense = code.nnz > density * code.shape[0] * code.shape[1]
        low, high = (middle, high) if dense else (low, middle)
    return float(f"{np.sqrt(low * high):.2g}")
