"""The table of pursuits: what each computes with, what bounds it, and what it supports.

A pursuit is one kernel in one file and one row here. Combinations that a row
does not support are refused by name before any work is done.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ._cosamp import cosamp
from ._fista import fista
from ._hard_threshold import hard_threshold
from ._iht import iht
from ._lars import lars
from ._lasso_cd import lasso_cd
from ._lasso_lars import lasso_lars
from ._mp import mp
from ._ols import ols
from ._omp import omp
from ._positive import positive_ols, positive_omp
from ._threshold import threshold
from ._without_gram import ols_without_gram, omp_without_gram
from ._working_atoms import lasso_without_gram


@dataclass(frozen=True)
class Algorithm:
    """One pursuit."""

    name: str
    kernel: Callable
    # What limits a code: "count" of atoms (and tol), "penalty" alpha, or "either".
    bound: str
    # Where codes that are not negative need a kernel of their own.
    positive_kernel: Callable | None = None
    # Whether the atoms of a code are linearly independent, hence no more than features.
    independent: bool = True
    # Whether the number of atoms must be given: tol only ends such a pursuit early.
    needs_count: bool = False
    # Whether codes scale with the atoms, as correlations do, and not against them.
    codes_are_correlations: bool = False
    uses_gram: bool = True
    # What to call, with the signals too, where the Gram matrix would not fit in memory.
    without_gram: Callable | None = None
    supports_tol: bool = False
    supports_positive: bool = False
    supports_weights: bool = False  # alpha may be one value per atom
    supports_init: bool = False
    supports_polish: bool = False

    def kernel_for(self, positive):
        """The kernel for codes of either sign, or for codes that are not negative."""
        return self.positive_kernel if positive and self.positive_kernel else self.kernel


ALGORITHMS = {
    row.name: row
    for row in (
        Algorithm(
            "mp",
            mp,
            bound="count",
            independent=False,
            supports_tol=True,
            supports_positive=True,
            supports_init=True,
        ),
        Algorithm(
            "omp",
            omp,
            bound="count",
            positive_kernel=positive_omp,
            without_gram=omp_without_gram,
            supports_tol=True,
            supports_positive=True,
        ),
        Algorithm(
            "ols",
            ols,
            bound="count",
            positive_kernel=positive_ols,
            without_gram=ols_without_gram,
            supports_tol=True,
            supports_positive=True,
        ),
        Algorithm(
            "cosamp",
            cosamp,
            bound="count",
            needs_count=True,
            supports_tol=True,
            supports_positive=True,
            supports_init=True,
            supports_polish=True,
        ),
        Algorithm(
            "iht",
            iht,
            bound="count",
            needs_count=True,
            supports_tol=True,
            supports_positive=True,
            supports_init=True,
            supports_polish=True,
        ),
        Algorithm(
            "lasso_lars",
            lasso_lars,
            bound="penalty",
            without_gram=lasso_without_gram(lasso_lars),
            supports_tol=True,
            supports_positive=True,
            supports_weights=True,
        ),
        Algorithm("lars", lars, bound="count", supports_tol=True, supports_positive=True),
        Algorithm(
            "lasso_cd",
            lasso_cd,
            bound="penalty",
            without_gram=lasso_without_gram(lasso_cd),
            supports_positive=True,
            supports_weights=True,
            supports_init=True,
        ),
        Algorithm(
            "fista",
            fista,
            bound="penalty",
            without_gram=lasso_without_gram(fista),
            supports_positive=True,
            supports_weights=True,
            supports_init=True,
        ),
        Algorithm(
            "hard_threshold",
            hard_threshold,
            bound="either",
            independent=False,
            codes_are_correlations=True,
            uses_gram=False,
            supports_positive=True,
            supports_weights=True,
        ),
        Algorithm(
            "threshold",
            threshold,
            bound="penalty",
            codes_are_correlations=True,
            uses_gram=False,
            supports_positive=True,
            supports_weights=True,
        ),
    )
}
