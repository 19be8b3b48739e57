"""What became of each signal, for users; and the one warning a call may give instead."""

from dataclasses import dataclass, fields

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._warn import warn_user
from ._records import Status


@dataclass(frozen=True)
class CodingDiagnostics:
    """How the coding of each signal ended.

    Every attribute is an array of shape (n_samples,).

    Attributes
    ----------
    status : ndarray of int8
        A `Status`: 0 done, 1 the tolerance cannot be reached, 2 stopped at linearly
        dependent atoms, 3 stopped at ``max_iter``.
    n_iter : ndarray of int32
        Iterations of the pursuit.
    n_nonzero : ndarray of int32
        Atoms used.
    residual_norm2 : ndarray of float
        Squared length of the residual, ``||x - a C||_2^2``.
    gap : ndarray of float
        Relative duality gap; NaN for pursuits that solve no convex problem.
    """

    status: np.ndarray
    n_iter: np.ndarray
    n_nonzero: np.ndarray
    residual_norm2: np.ndarray
    gap: np.ndarray

    @property
    def message(self):
        """What `sparse_encode` warns of where no diagnostics are asked for; empty if of nothing."""
        return message_of(self)

    def to_frame(self):
        """Return the diagnostics as a pandas data frame, one row a signal.

        Returns
        -------
        pandas.DataFrame
            One column per attribute.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        from pandas import DataFrame

        return DataFrame({field.name: getattr(self, field.name) for field in fields(self)})


def message_of(outcome):
    """One sentence about all signals that did not end as asked; empty where all did."""
    counts = np.bincount(outcome.status, minlength=len(Status))
    parts = [
        f"{counts[status]} of {outcome.status.size} signals {status.message}"
        for status in Status
        if status is not Status.DONE and counts[status]
    ]
    if not parts:
        return ""
    gaps = outcome.gap[outcome.status == Status.MAX_ITER]
    if gaps.size and not np.isnan(gaps).all():
        parts.append(f"worst relative dual gap {np.nanmax(gaps):.2g}")
    return "; ".join(parts) + "."


def warn_once(outcome):
    """One warning for all signals that did not end as asked."""
    if message := message_of(outcome):
        warn_user(message, ConvergenceWarning)
