"""The table of dictionary updates: what each needs, what it can respect, what it returns.

An update is one function in one file and one row here. A row says how it is
called:

- from sums alone: ``step(space, dictionary, statistics)``;
- from codes and signals, ``needs_codes=True``:
  ``step(space, dictionary, coded, training_set)``;
- ``begins=True``: as from codes, but ``step(encode, forgetting, random_state)`` gives that
  function, which codes signals itself and remembers from one call to the next.

Either returns the new `Dictionary` and how far its objective may be from the
optimum of the step (0 for steps that are exact).
"""

from collections.abc import Callable
from dataclasses import dataclass

from ._aksvd import aksvd
from ._bcd import bcd
from ._ksvd import ksvd
from ._mod import mod
from ._rls import RecursiveLeastSquares


@dataclass(frozen=True)
class Update:
    """One dictionary update.

    Attributes
    ----------
    name : str
        Value of the parameter ``dictionary_update``.
    step : callable
        See above.
    needs_codes : bool
        Whether sums over signals are not enough. Such an update cannot learn from a stream.
    unit : bool
        Whether atoms have unit length; else length at most one.
    respects_bound : bool
        Whether it can keep a shortcut and the bound on the residual.
    respects_sign : bool
        Whether it can keep atoms positive.
    replaces : bool
        Whether atoms that are hardly used, or twins of others, are replaced
        after it unless the user decides otherwise. Atoms without any use always are.
    changes_codes : bool
        Whether it changes codes too, within their supports, to values of any sign and
        with no regard to a penalty.
    begins : bool
        See above.
    """

    name: str
    step: Callable
    needs_codes: bool = False
    unit: bool = True
    respects_bound: bool = False
    respects_sign: bool = False
    replaces: bool = True
    changes_codes: bool = False
    begins: bool = False

    @property
    def own_codes(self):
        """Whether the codes that it began from do not tell what it has reached."""
        return self.changes_codes or self.begins


UPDATES = {
    row.name: row
    for row in (
        Update("bcd", bcd, unit=False, respects_sign=True, replaces=False),
        Update("mod", mod, respects_bound=True),
        Update("ksvd", ksvd, needs_codes=True, changes_codes=True),
        Update("aksvd", aksvd, needs_codes=True, changes_codes=True),
        Update("rls", RecursiveLeastSquares, needs_codes=True, replaces=False, begins=True),
    )
}
