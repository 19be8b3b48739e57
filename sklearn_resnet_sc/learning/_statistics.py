"""What an update needs to know of signals and codes: small matrices, and errors per signal."""

from dataclasses import dataclass

import numpy as np

from .._jit import kernel
from .._parallel import run_blocks
from ._missing import fill_by_codes, fill_by_feature, largest_entry

_BLOCK_BYTES = 2**19  # of signals that a thread copies, scaled, at a time: they stay in its cache
_MIN_BLOCK, _MAX_BLOCK = 64, 1024
_PART = 4096  # signals that are worth a partial sum of their own
_MOST_PARTS = 8  # fixed, so that sums do not depend on the number of threads


@dataclass(frozen=True)
class Statistics:
    """Sums over signals, in units in which the largest entry of X is about one.

    ``A`` are the codes and ``W`` the diagonal matrix of sample weights. Sums are float64
    whatever the precision of the data: they are small, and a sum of 1e5
    squares in float32 loses four digits. Missing entries of X are filled in, see `_missing`;
    errors are those of observed entries.
    """

    gram: np.ndarray  # (n_components, n_components), A' W A
    cross: np.ndarray  # (n_components, n_features), A' W X
    usage: np.ndarray  # (n_components,), sum of the weights of the signals that use an atom
    residual_norm2: np.ndarray  # (n_samples,), squared error of each signal
    error: float  # W-weighted mean of the squared errors
    energy: float  # tr(X' W X)


class TrainingSet:
    """Signals with weights, read block by block and never copied as a whole.

    Blocks are scaled by a power of two, so that squares neither over- nor
    underflow; that changes no bits. NaN is a missing entry: in a block it is filled in, from
    the codes that `statistics` was last given, before that by the mean of its feature.

    Attributes
    ----------
    masked : bool
        Whether any entry is missing.
    """

    def __init__(self, X, sample_weight=None, *, n_jobs=None):
        self.X, self.n_jobs = X, n_jobs
        self.n_samples, self.n_features = X.shape
        self.weight = np.ones(self.n_samples) if sample_weight is None else sample_weight
        self.total_weight = float(self.weight.sum())
        largest = max(float(X.max()), -float(X.min()))
        self.masked = bool(np.isnan(largest))
        self._means = self._codes = None
        if self.masked:
            largest = largest_entry(X)
        exponent = -np.frexp(largest)[1] if largest > 0 else 0
        # A scale that is itself a normal number in the precision of X.
        limit = -np.finfo(X.dtype).minexp - 1
        self.scale = X.dtype.type(np.ldexp(1.0, int(np.clip(exponent, -limit, limit))))
        if self.masked:
            self._means = self._observed_means()
        self.energy = 0.0
        for _, signals, weight in self.blocks():
            norm2 = np.einsum("ij,ij->i", signals, signals, dtype=np.float64)
            self.energy += float(weight @ norm2)

    def blocks(self, start=0, stop=None):
        """Slices with their scaled signals and their weights; signals live until the next one."""
        stop = self.n_samples if stop is None else stop
        fit = _BLOCK_BYTES // (self.n_features * self.X.dtype.itemsize)
        length = min(max(fit, _MIN_BLOCK), _MAX_BLOCK)
        scratch = np.empty((min(length, stop - start), self.n_features), self.X.dtype)
        for first in range(start, stop, length):
            rows = slice(first, min(first + length, stop))
            signals = scratch[: rows.stop - rows.start]
            np.multiply(self.X[rows], self.scale, out=signals)
            if self._means is not None:
                self._fill(signals, rows)
            yield rows, signals, self.weight[rows]

    def signals(self, rows):
        """Some scaled signals, in float64."""
        signals = self.X[rows].astype(np.float64) * float(self.scale)
        if self.masked:
            self._fill(signals, rows)
        return signals

    def _fill(self, signals, rows):
        if self._codes is None:
            fill_by_feature(signals, self._means)
            return
        code, components = self._codes
        code = code[rows]
        values = code.data * self.scale
        fill_by_codes(signals, code.indptr, code.indices, values, components)

    def _observed_means(self):
        """Weighted means of features over what was observed; 0 where nothing was."""
        total, count = np.zeros((2, self.n_features))
        for _, signals, weight in self.blocks():
            observed = ~np.isnan(signals)
            total += weight @ np.where(observed, signals, 0)
            count += weight @ observed
        return np.divide(total, count, out=np.zeros_like(total), where=count > 0)

    def covariance(self):
        """Covariance of the features about their weighted means.

        Where entries are missing, every covariance is that over the signals of which
        both features were observed; then it need not be positive semidefinite.
        """
        if self.masked:
            return self._observed_covariance()
        moment = np.zeros((self.n_features, self.n_features))
        mean = np.zeros(self.n_features)
        for _, signals, weight in self.blocks():
            mean += weight @ signals
        mean /= self.total_weight
        for _, signals, weight in self.blocks():
            centred = signals - mean
            moment += (centred * weight[:, None]).T @ centred
        return moment / self.total_weight

    def _observed_covariance(self):
        moment, count = np.zeros((2, self.n_features, self.n_features))
        for rows, signals, weight in self.blocks():
            observed = ~np.isnan(self.X[rows])
            centred = np.where(observed, signals - self._means, 0)
            moment += (centred * weight[:, None]).T @ centred
            count += (observed * weight[:, None]).T @ observed
        return np.divide(moment, count, out=np.zeros_like(moment), where=count > 0)

    def in_units_of_data(self, error):
        """A mean squared error of scaled signals in the units of X."""
        return error / float(self.scale) / float(self.scale)

    def statistics(self, code, components):
        """Sums for the codes (CSR) of all signals in a dictionary."""
        n_components = components.shape[0]
        norm2 = np.empty(self.n_samples)
        n_parts = max(1, min(_MOST_PARTS, self.n_samples // _PART))
        edges = np.linspace(0, self.n_samples, n_parts + 1).astype(int)
        grams = np.zeros((n_parts, n_components, n_components))
        crosses = np.zeros((n_parts, n_components, self.n_features))
        usages = np.zeros((n_parts, n_components))
        energies = np.zeros(n_parts)
        if self.masked:
            self._codes = code, components

        def make_worker():
            residual = np.empty(self.n_features, self.X.dtype)

            def sum_part(part):
                sums = grams[part], crosses[part], usages[part]
                for rows, signals, weight in self.blocks(edges[part], edges[part + 1]):
                    pointers = code.indptr[rows.start : rows.stop + 1]
                    entries = slice(pointers[0], pointers[-1])
                    values = code.data[entries] * self.scale
                    indices = code.indices[entries]
                    pointers = pointers - pointers[0]
                    if self.masked:
                        norm2_filled = np.einsum("ij,ij->i", signals, signals, dtype=np.float64)
                        energies[part] += float(weight @ norm2_filled)
                    _accumulate(
                        signals, weight, pointers, indices, values, components, *sums,
                        residual, norm2[rows],
                    )  # fmt: skip

            return sum_part

        run_blocks(make_worker, n_parts, n_jobs=self.n_jobs)
        gram, cross, usage = (
            parts[0] if n_parts == 1 else parts.sum(axis=0) for parts in (grams, crosses, usages)
        )
        _mirror(gram)
        return Statistics(
            gram=gram,
            cross=cross,
            usage=usage,
            residual_norm2=norm2,
            error=float(self.weight @ norm2) / self.total_weight,
            energy=float(energies.sum()) if self.masked else self.energy,
        )


@kernel(fastmath={"contract", "reassoc"})  # so that the squared errors are summed several at a time
def _accumulate(
    signals, weight, pointers, indices, values, components, gram, cross, usage, residual, norm2
):
    """Add a block to the sums (of ``gram`` the lower triangle), and measure its errors."""
    for i in range(weight.size):
        for f in range(residual.size):
            residual[f] = signals[i, f]
        for p in range(pointers[i], pointers[i + 1]):
            j = indices[p]
            value = values[p]
            factor = weight[i] * value
            for f in range(residual.size):
                cross[j, f] += factor * signals[i, f]
                residual[f] -= value * components[j, f]
            if value != 0:
                usage[j] += weight[i]
            for q in range(pointers[i], p + 1):
                gram[j, indices[q]] += factor * values[q]
        total = 0.0
        for f in range(residual.size):
            total += residual[f] * residual[f]
        norm2[i] = total


@kernel
def _mirror(gram):
    """Fill in the upper triangle; in tiles, because columns are far apart in memory."""
    n = gram.shape[0]
    for top in range(0, n, 16):
        for left in range(0, top + 1, 16):
            for i in range(top, min(top + 16, n)):
                for j in range(left, min(left + 16, i)):
                    gram[j, i] = gram[i, j]
