"""What a section of the report is given, and what it gives back.

A section lives in one file that offers three names:

``NAME``
    Its key in ``results.json``.
``count_steps(inputs)``
    How many steps its calls of ``advance`` will make together.
``run(inputs, advance)``
    Does the work, calls ``advance(label, n_steps=1)`` on the way, and returns a `Section`.

The file is listed in ``_cli.SECTIONS``; the rest of the report need not know it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np


class ReproduceError(Exception):
    """Something the user can put right; its message is shown without a traceback."""


@dataclass(frozen=True)
class Inputs:
    """What every section works on."""

    train: Mapping[str, np.ndarray]
    test: Mapping[str, np.ndarray]
    quick: bool
    seed: int
    n_jobs: int | None


@dataclass(frozen=True)
class Table:
    """Cells are strings already; the first column is text, the others are numbers.

    Headings may hold line breaks, which keep the table narrow on a terminal.
    """

    caption: str
    columns: list[str]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Figure:
    """A display to be drawn into the file ``name.png``."""

    name: str
    caption: str
    display: Any
    size: tuple[float, float]
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Statements:
    """Sentences under a heading of their own."""

    heading: str
    sentences: list[str]


@dataclass(frozen=True)
class Section:
    """A finished section: words, tables and figures for readers, numbers for programs."""

    name: str
    title: str
    numbers: dict[str, Any]
    introduction: list[str] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    reading: str = ""
    figures: list[Figure] = field(default_factory=list)
    statements: list[Statements] = field(default_factory=list)
