"""Missing entries (NaN) of training signals: filled in with what the present codes say.

Let X* be X with its missing entries taken from ``A C``, codes and atoms at present. For any
other codes and atoms, ``||X* - A' C'||^2`` is at least the squared error over observed entries,
and at the present ones it is equal to it: it is a majoriser. So whatever does not raise the
error of X*, as every update does at fixed codes or supports, does not raise that of
the observed entries, and updates need not know that anything is missing.

The same step is that of expectation maximisation, see D. Rubin, D. Thayer, "EM
algorithms for ML factor analysis", Psychometrika 47 (1982).
"""

from typing import Any, NamedTuple

import numpy as np

from .._jit import kernel


def largest_entry(X):
    """The largest absolute value of X, NaN passed over (0 where there is nothing else)."""
    # Unlike nanmax these neither copy nor warn; they see a NaN only where there is no number.
    largest = max(
        float(np.fmax.reduce(X, axis=None, initial=0)),
        -float(np.fmin.reduce(X, axis=None, initial=0)),
    )
    return largest


def check_observed(X):
    """Refuse signals of which nothing was observed.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals; NaN marks what was not observed.

    Raises
    ------
    ValueError
        If all entries are NaN.
    """
    if np.isnan(np.fmax.reduce(X, axis=None)):
        raise ValueError(
            f"X must have an entry that was observed; all {X.size} are NaN, which "
            'missing="mask" takes as missing'
        )


def fill_by_feature(signals, means):
    """Fill in missing entries, in place, by one value a feature."""
    rows, features = np.nonzero(np.isnan(signals))
    signals[rows, features] = means[features]


@kernel
def fill_by_codes(signals, pointers, indices, values, components):
    """Fill in missing entries, in place, by ``code @ components``; pointers from 0."""
    for i in range(signals.shape[0]):
        fill_signal(signals[i], pointers[i], pointers[i + 1], indices, values, components)


@kernel
def fill_signal(signal, start, stop, indices, values, components):
    """Fill in one signal from the entries ``start:stop`` of the codes."""
    for f in range(signal.size):
        if np.isnan(signal[f]):
            total = 0.0
            for q in range(start, stop):
                total += values[q] * components[indices[q], f]
            signal[f] = total


class Source(NamedTuple):
    """Where kernels that change codes read signals from: X, and what fills in its missing entries.

    The codes and atoms are those that an update began from: while it runs, they must not follow
    it, or else what it makes small would change under its feet.
    """

    X: Any  # (n_samples, n_features)
    scale: float
    masked: bool
    values: Any  # of the codes of scaled signals
    atoms: Any  # (n_components, n_features)
    signal: Any  # (n_features,), scratch

    @classmethod
    def of(cls, training_set, entries, components):
        """For the entries of codes in a dictionary, neither changed so far."""
        masked = training_set.masked
        return cls(
            training_set.X,
            float(training_set.scale),
            masked,
            entries.values.copy() if masked else entries.values,
            components.astype(np.float64),
            np.empty(training_set.n_features),
        )


@kernel
def read_signal(source, i, pointers, indices):
    """One scaled signal, filled in, to the scratch of the source."""
    signal = source.signal
    for f in range(signal.size):
        signal[f] = source.scale * source.X[i, f]
    if source.masked:
        fill_signal(signal, pointers[i], pointers[i + 1], indices, source.values, source.atoms)
