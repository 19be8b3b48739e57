"""The paper's claims as objects: what is printed, whether it holds, and what is true."""

import functools
import textwrap
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ._claims_tools import Predicate, frozen_instance
from ._statement import Statement

PAPER = (
    'Chandra, Pareek, Gopi Krishna, "ResNet through Deep Multi-Layer Sparse Coding: '
    'A Theoretical Study"'
)
HOLDS = "holds"
UNDER_CONDITIONS = "holds under conditions"
FALSE = "false"
ASSUMPTION = "assumption"
NOT_TESTABLE = "not testable"
VERDICTS = (HOLDS, UNDER_CONDITIONS, FALSE, ASSUMPTION, NOT_TESTABLE)


@dataclass(frozen=True)
class Claim(Statement):
    """One claim of the paper, with a verdict that can be executed.

    Attributes
    ----------
    key : str
        Its name here, such as "A3".
    section : str
        Where the paper has it.
    title : str
        What it is about.
    statement : str
        The claim as printed, in a few words and its formula. A code or a signal is a
        row here and a column in the paper, which changes no formula.
    verdict : str
        "holds", "holds under conditions", "false", "assumption" (nothing in the paper
        implies it, and it fails for some instances) or "not testable".
    predicate : Predicate or None
        Whether the printed statement holds for an instance, in the reading that is
        kindest to it; None where nothing can be executed.
    counterexample : Mapping or None
        A smallest instance that `predicate` rejects; None where there is none.
    corrected : str or None
        What is true instead, with its conditions; None where the claim is as good as
        it can be, or where there is nothing to state.
    corrected_predicate : Predicate or None
        Whether the corrected statement holds for an instance.
    source : str
        Where the corrected statement comes from, or its proof.
    """

    key: str
    section: str
    title: str
    statement: str
    verdict: str
    predicate: Predicate | None = field(repr=False)
    counterexample: Mapping | None = field(repr=False)
    corrected: str | None
    corrected_predicate: Predicate | None = field(repr=False)
    source: str

    def to_dict(self):
        """Return the fields as plain Python values that ``json`` accepts.

        Returns
        -------
        dict
            Without the predicates, which are no data; arrays become lists.
        """
        content = {name: value for name, value in vars(self).items() if "predicate" not in name}
        if self.counterexample is not None:
            content["counterexample"] = {
                name: _as_lists(value) for name, value in self.counterexample.items()
            }
        return content

    def __str__(self):
        parts = [
            f"{self.key} (section {self.section}), {self.title}: {self.verdict}.",
            f"As printed: {self.statement}",
        ]
        if self.counterexample is not None:
            parts.append(f"Counterexample: {instance_text(self.counterexample)}")
        if self.corrected is not None:
            parts.append(f"True: {self.corrected}")
        parts.append(f"Why: {self.source}")
        return "\n".join(textwrap.fill(part, 96, subsequent_indent="  ") for part in parts)


def instance_text(instance):
    """An instance in one line, as Python would be given it, numbers to six digits."""
    return ", ".join(f"{name} = {_short(_as_lists(value))}" for name, value in instance.items())


def _as_lists(value):
    if isinstance(value, tuple):
        return [_as_lists(item) for item in value]
    return value if isinstance(value, str) else value.tolist()


def _short(value):
    if isinstance(value, list):
        return "[" + ", ".join(map(_short, value)) + "]"
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


class ClaimTable:
    """All claims, by key and in the order of the paper.

    Iterating gives the claims; ``table["A3"]`` is one of them; ``str`` is a table.

    Parameters
    ----------
    claims : iterable of Claim
        The claims, their keys all different.

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import claims
    >>> table = claims()
    >>> table["A3"].verdict
    'false'
    >>> [claim.key for claim in table if claim.verdict == "not testable"]
    ['E1', 'E2']
    """

    def __init__(self, claims):
        self._claims = {claim.key: claim for claim in claims}

    def __getitem__(self, key):
        try:
            return self._claims[key]
        except KeyError:
            raise KeyError(f"no claim {key!r}; there are {', '.join(self._claims)}") from None

    def __iter__(self):
        return iter(self._claims.values())

    def __len__(self):
        return len(self._claims)

    def __contains__(self, key):
        return key in self._claims

    def keys(self):
        """Return the keys of the claims, in order.

        Returns
        -------
        list of str
            Such as "A3".
        """
        return list(self._claims)

    def to_frame(self):
        """Return the claims as a pandas data frame, one row a claim.

        Returns
        -------
        pandas.DataFrame
            Indexed by key; the counterexample is text.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        from pandas import DataFrame

        rows = [claim.to_dict() for claim in self]
        for row, claim in zip(rows, self, strict=True):
            if claim.counterexample is not None:
                row["counterexample"] = instance_text(claim.counterexample)
        return DataFrame(rows).set_index("key")

    def __str__(self):
        widths = (4, 8, 22, 62)
        lines = [_line(("key", "section", "verdict", "as printed"), widths), "-" * 99]
        for claim in self:
            printed = textwrap.wrap(f"{claim.title}: {claim.statement}", widths[-1])
            lines.append(_line((claim.key, claim.section, claim.verdict, printed[0]), widths))
            lines += [_line(("", "", "", more), widths) for more in printed[1:]]
        counts = Counter(claim.verdict for claim in self)
        lines.append(", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS))
        return "\n".join(lines)

    def __repr__(self):
        return f"<ClaimTable of {len(self)} claims>"


def _line(cells, widths):
    pairs = zip(cells, widths, strict=True)
    return " ".join(cell.ljust(width) for cell, width in pairs).rstrip()


@functools.cache
def claims():
    """Every claim of the paper this package began with, and whether it is true.

    Each claim carries the statement as printed, a predicate that executes it on any
    instance, the verdict, a smallest counterexample where it fails, and what is true
    instead, again as text and as a predicate.

    Returns
    -------
    ClaimTable
        Prints as a table; ``claims()["A3"]`` prints as sentences.

    Notes
    -----
    Arrays of an instance are taken as exact and computed with in float64. A statement
    that rounding leaves open counts as holding, and one whose conditions are not met
    as well; ``predicate.applies(instance)`` tells the two apart. Dictionaries have
    their atoms as rows; W and D of sections 1.1 to 1.5 are as in the paper.

    References
    ----------
    Chandra, Pareek, Gopi Krishna, "ResNet through Deep Multi-Layer Sparse Coding: A
    Theoretical Study", sections 1 and 2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import claims
    >>> print(claims()["A1"])
    A1 (section 1.5), full rank of D: false.
    As printed: rank(D) = n implies rank(I + D) = n.
    Counterexample: D = [[-1]]
    True: rank(I + D) = n if and only if -1 is no eigenvalue of D; sigma_min(I + D) >= max(1 -
      ||D||_2, 1 + lambda_min((D + D^T)/2)), so either ||D||_2 < 1 or lambda_min > -1 is enough.
    Why: (I + D)x = 0 says Dx = -x. For unit x, ||(I + D)x|| >= 1 - ||Dx|| and ||(I + D)x|| >= x^T
      (I + D) x.
    >>> claims()["A1"].predicate({"D": [[-1.0]]})
    False
    >>> claims()["A1"].corrected_predicate({"D": np.diag([0.5, -0.5])})
    True
    """
    # Here, because each of these files makes claims of the class above.
    from . import (
        _claims_activation,
        _claims_error,
        _claims_many_layers,
        _claims_one_layer,
        _claims_problem,
        _claims_rank,
        _claims_spectra,
        _claims_stability,
    )

    parts = (
        _claims_one_layer,
        _claims_activation,
        _claims_rank,
        _claims_spectra,
        _claims_problem,
        _claims_many_layers,
        _claims_stability,
        _claims_error,
    )
    return ClaimTable(claim for part in parts for claim in part.CLAIMS)


def make_claim(
    key,
    section,
    title,
    statement,
    verdict,
    *,
    source,
    shapes=None,
    printed=None,
    counterexample=None,
    corrected=None,
    true=None,
):
    """A claim whose functions `printed` and `true` become predicates on arrays of `shapes`."""
    return Claim(
        key=key,
        section=section,
        title=title,
        statement=statement,
        verdict=verdict,
        predicate=None if printed is None else Predicate(printed, shapes),
        counterexample=None if counterexample is None else frozen_instance(**counterexample),
        corrected=corrected,
        corrected_predicate=None if true is None else Predicate(true, shapes),
        source=source,
    )
