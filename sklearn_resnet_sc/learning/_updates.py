"""The table of dictionary updates: what each needs, what it can respect, what it returns.

An update is one function in one file and one row here. A row says how it is
called:

- from sums alone: ``step(space, dictionary, statistics)``;
- from codes and signals, ``needs_codes=True``:
  ``step(space, dictionary, coded, training_set)``.

Either returns the new `Dictionary` and how far its objective may be from the
optimum of the step (0 for steps that are exact).
"""

from collections.abc import Callable
from dataclasses import dataclass

from ._bcd import bcd
from ._mod import mod


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
    """

    name: str
    step: Callable
    needs_codes: bool = False
    unit: bool = True
    respects_bound: bool = False
    respects_sign: bool = False
    replaces: bool = True


UPDATES = {
    row.name: row
    for row in (
        Update("bcd", bcd, unit=False, respects_sign=True, replaces=False),
        Update("mod", mod, respects_bound=True),
    )
}
