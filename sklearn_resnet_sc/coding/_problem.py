"""What is to be coded: signals, dictionary and request, scaled so that squares are safe."""

import numpy as np
from scipy import sparse
from sklearn import get_config

from .._parallel import run_blocks, single_threaded_blas
from ._packing import squared_lengths
from ._records import Atoms

# The correlations of a block should stay in a core's own cache until the kernel reads them.
_BLOCK_BYTES = 2**20
_MIN_BLOCK, _MAX_BLOCK = 16, 512
# So many blocks, and not one, where signals are few: for threads. Shorter ones would cost too much.
_WANTED_BLOCKS, _SHARE = 4, 128
# Without a Gram matrix every step reads the whole dictionary: let more signals share it.
_MIN_BLOCK_WITHOUT_GRAM = 64
_GRAM_BLOCK = 256


def power_of_two(length):
    """The power of two that brings a length near one; scaling by it changes no bits."""
    limit = -np.finfo(length.dtype).minexp
    return np.ldexp(np.ones_like(length), np.clip(-np.frexp(length)[1], -limit, limit))


def gram_matrix(components, n_jobs=None):
    """Inner products of atoms, in blocks of rows over threads: the same bits for every n_jobs."""
    n_components = components.shape[0]
    gram = np.empty((n_components, n_components), components.dtype)
    if n_components <= _GRAM_BLOCK:
        with single_threaded_blas():
            return np.dot(components, components.T, out=gram)

    def fill(number):
        rows = slice(number * _GRAM_BLOCK, (number + 1) * _GRAM_BLOCK)
        np.dot(components[rows], components.T, out=gram[rows])

    run_blocks(lambda: fill, -(-n_components // _GRAM_BLOCK), n_jobs=n_jobs)
    return gram


def refuse_not_finite(row):
    """The error for a signal that is not finite."""
    raise ValueError(
        f"Input X contains NaN or infinity, first in row {row}. "
        "Remove or impute such samples before coding, or mark features that were not "
        "observed by NaN and set missing='mask'."
    )


class Problem:
    """Signals to code in one dictionary by one algorithm: what all blocks share.

    Parameters
    ----------
    X : {ndarray, CSR} of shape (n_samples, n_features)
        Signals, of any dtype; read block by block.
    components : ndarray of shape (n_components, n_features)
    gram : ndarray of shape (n_components, n_components) or None
    cov : ndarray of shape (n_components, n_samples) or None
    init : ndarray of shape (n_samples, n_components) or None
        Codes to start from.
    algorithm : Algorithm
    request : Request
    tol : float
        Squared residual to reach, negative for none.
    missing : bool
        Whether NaN marks a feature that was not observed.
    n_jobs : int or None
        Threads for the Gram matrix.
    """

    def __init__(
        self,
        X,
        components,
        *,
        algorithm,
        request,
        tol,
        gram=None,
        cov=None,
        init=None,
        missing=False,
        n_jobs=None,
    ):
        self.X, self.cov, self.init = X, cov, init
        self.asked = self.request = request  # as asked, and with weights near one
        self.components, self.missing = components, missing
        self.algorithm, self.tol, self.dtype = algorithm, tol, components.dtype
        self.n_samples, self.n_features = X.shape
        self.n_components = components.shape[0]
        self.atom_scale = self.dtype.type(1)
        # A dictionary far from unit scale would over- or underflow when squared.
        length = np.abs(components).max()
        if length > 0 and not 1e-6 < length < 1e6:
            self.atom_scale = power_of_two(length)
            components = components * self.atom_scale
            gram = None if gram is None else gram * self.atom_scale * self.atom_scale
        # So would weights, beside the entries of inverse Gram matrices.
        self.weight_scale = self.dtype.type(1)
        heaviest = request.weights.max(initial=0)
        if heaviest > 0 and not 1e-6 < heaviest < 1e6:
            self.weight_scale = power_of_two(heaviest)
            self.request = request._replace(weights=request.weights * self.weight_scale)
        components = np.ascontiguousarray(components)
        self.without_gram = gram is None and algorithm.uses_gram and not self._gram_fits()
        if gram is None and algorithm.uses_gram and not missing and not self.without_gram:
            gram = gram_matrix(components, n_jobs)
        elif gram is None:
            gram = np.empty((0, 0), self.dtype)
        self.atoms = Atoms(components, np.ascontiguousarray(gram))
        row_bytes = max(self.n_components, self.n_features) * self.dtype.itemsize
        shortest = _MIN_BLOCK_WITHOUT_GRAM if self.without_gram else _MIN_BLOCK
        self.block_length = int(np.clip(_BLOCK_BYTES // row_bytes, shortest, _MAX_BLOCK))
        share = max(-(-self.n_samples // _WANTED_BLOCKS), _SHARE)
        self.block_length = min(self.block_length, share, self.n_samples)
        self.n_blocks = -(-self.n_samples // self.block_length)

    def _gram_fits(self):
        """Whether scikit-learn's ``working_memory`` holds the Gram matrix.

        Raises
        ------
        ValueError
            If it does not, and the algorithm knows no way without it.
        """
        size = self.n_components**2 * self.dtype.itemsize / 2**20
        budget = get_config()["working_memory"]
        if size <= budget:
            return True
        own_kernel = self.request.positive and self.algorithm.positive_kernel is not None
        if self.algorithm.without_gram is None or own_kernel:
            kind = "positive " if self.request.positive else ""
            raise ValueError(
                f"{kind}algorithm={self.algorithm.name!r} needs the Gram matrix of "
                f"{self.n_components} atoms, {size:.0f} MiB, and scikit-learn's working_memory "
                f"allows {budget:.0f}. Raise it by sklearn.set_config(working_memory=...), pass "
                "gram, or choose a pursuit that needs none, such as 'omp' or 'lasso_lars'."
            )
        return False

    def rows(self, number):
        """The slice of signals that block ``number`` covers."""
        start = number * self.block_length
        return slice(start, min(start + self.block_length, self.n_samples))

    def read(self, rows):
        """A block of signals, their squared lengths, and their scales (None where all are 1).

        A signal so long or short that its square leaves the floating point
        range is scaled by a power of two, which changes none of its bits.

        Raises
        ------
        ValueError
            If a signal is not finite.
        """
        block = self.X[rows]
        if sparse.issparse(block):
            block = block.toarray()
        block = np.ascontiguousarray(block, dtype=self.dtype)
        if not block.flags.writeable:
            block = block.copy()  # one kind of array, one compilation
        norm2 = np.empty(block.shape[0], self.dtype)
        squared_lengths(block, norm2)
        # float32 overflows at 3e38: leave room for squares of squared lengths.
        limit = self.dtype.type(1e18 if self.dtype == np.float32 else 1e150)
        odd = ~((norm2 > 1 / limit) & (norm2 < limit))
        if not odd.any():
            return block, norm2, None
        length = np.abs(block[odd]).max(axis=1)
        if not length.any():
            return block, norm2, None
        if not np.isfinite(length).all():
            refuse_not_finite(rows.start + int(np.flatnonzero(odd)[~np.isfinite(length)][0]))
        scale = np.ones(norm2.size, self.dtype)
        scale[odd] = np.where(length > 0, power_of_two(length), 1)
        block = block * scale[:, None]
        squared_lengths(block, norm2)
        return block, norm2, scale

    def start(self, rows, scale):
        """Codes to start from, in the scales of atoms and signals; (0, 0) for none."""
        if self.init is None:
            return np.empty((0, 0), self.dtype)
        start = np.ascontiguousarray(self.init[rows], dtype=self.dtype)
        if self.atom_scale != 1:
            start = start / self.atom_scale
        return start if scale is None else start * scale[:, None]
