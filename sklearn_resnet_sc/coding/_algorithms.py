"""The table of pursuits: what each computes with, what bounds it, and what it supports.

A pursuit is one kernel in one file and one row here. Combinations that a row
does not support are refused by name before any work is done.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ._ols import ols
from ._omp import omp
from ._threshold import threshold


@dataclass(frozen=True)
class Algorithm:
    """One pursuit."""

    name: str
    kernel: Callable
    bound: str  # what limits a code: "count" of atoms (and tol), or "penalty" alpha
    uses_gram: bool = True
    supports_tol: bool = False
    supports_positive: bool = False
    supports_weights: bool = False  # alpha may be one value per atom
    supports_init: bool = False
    supports_polish: bool = False


ALGORITHMS = {
    row.name: row
    for row in (
        Algorithm("omp", omp, bound="count", supports_tol=True),
        Algorithm("ols", ols, bound="count", supports_tol=True),
        Algorithm(
            "threshold",
            threshold,
            bound="penalty",
            uses_gram=False,
            supports_positive=True,
            supports_weights=True,
        ),
    )
}
