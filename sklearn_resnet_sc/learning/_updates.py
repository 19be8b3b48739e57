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
from dataclasses import dataclass, replace

from ._aksvd import aksvd
from ._bcd import bcd
from ._forgetting import Forgetting
from ._ksvd import ksvd
from ._mod import mod
from ._residual_descent import residual_bcd
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
        Whether it minimises over the residual beside a shortcut, which it can keep within a
        bound or draw to zero by a ridge. Others find atoms of unit length.
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

# What learns a residual dictionary: atoms have unit length after every update.
RESIDUAL_UPDATES = {
    **UPDATES,
    "bcd": Update("bcd", residual_bcd, respects_bound=True),
}


def begin(update, pursuit, forgetting, n_signals, random_state):
    """An update with a memory of its own, for those rows that have one.

    Parameters
    ----------
    update : Update
        The row.
    pursuit : Pursuit
        How signals are coded.
    forgetting : str or callable
        Kind of a `Forgetting`, or what gives the factor before the i-th signal.
    n_signals : int
        How many learning may look at.
    random_state : RandomState
        For the order of the signals.

    Returns
    -------
    Update
        The row, with a step that can be called as from codes.
    """
    if not update.begins:
        return update
    if isinstance(forgetting, str):
        forgetting = Forgetting(forgetting)
    if isinstance(forgetting, Forgetting) and forgetting.horizon is None:
        forgetting = replace(forgetting, horizon=0.9 * n_signals)
    return replace(update, step=update.step(pursuit.encode_some, forgetting, random_state))


def require(table, name, able, reason):
    """Refuse an update that cannot do what is asked of it, by name.

    Parameters
    ----------
    table : dict
        The rows to choose from.
    name : str
        The update chosen.
    able : callable
        Whether a row can do it.
    reason : str
        What the others do instead, and what was asked.

    Raises
    ------
    ValueError
        If the row cannot; it names those that can.
    """
    if not able(table[name]):
        others = sorted(row.name for row in table.values() if able(row))
        raise ValueError(f"dictionary_update={name!r} {reason} it must be one of {others}")


def refuse_penalty(table, name, algorithm):
    """Refuse an update that has no regard to the penalty of an l1 pursuit, likewise."""
    reason = (
        "is for greedy pursuits such as fit_algorithm='omp' and has no regard to the penalty; "
        f"with fit_algorithm={algorithm!r}"
    )
    require(table, name, lambda row: not row.own_codes, reason)


def refuse_signs(table, name):
    """Refuse an update that makes negative codes of positive ones, as `require` does."""
    reason = "changes codes to values of any sign; with positive_code=True"
    require(table, name, lambda row: not row.changes_codes, reason)
