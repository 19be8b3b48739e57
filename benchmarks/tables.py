"""Tables of the documentation: comma separated files that scripts write and pages include."""

import csv

import numpy as np


def write_csv(path, header, rows):
    """One line of names, then the rows as they are printed, all as text."""
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"every row must have {len(header)} cells; got {row!r}")
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def print_table(header, rows):
    """The same in columns, to look at."""
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    for row in [header, *rows]:
        print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)))


def mean_and_deviation(values, digits=2, sign=False):
    """Mean and standard deviation over repetitions, ``"0.69 (0.31)"``."""
    values = np.asarray(values, dtype=float)
    plus = "+" if sign else ""
    mean = f"{values.mean():{plus}.{digits}f}"
    return mean if values.size == 1 else f"{mean} ({values.std(ddof=1):.{digits}f})"


def mean_and_error(values, digits=2, sign=False):
    """Mean and its standard error, ``"47.20 ± 0.31"``."""
    values = np.asarray(values, dtype=float)
    plus = "+" if sign else ""
    mean = f"{values.mean():{plus}.{digits}f}"
    if values.size == 1:
        return mean
    return f"{mean} ± {values.std(ddof=1) / np.sqrt(values.size):.{digits}f}"


def significant(value, digits=2):
    """A number that spans orders of magnitude, without a power of ten: ``5.6``, ``4100``."""
    value = float(f"{value:.{digits}g}")
    return f"{value:.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:#.{digits}g}"


def add_output(options):
    """The options that all scripts with a table share."""
    options.add_argument("--output", metavar="FILE", help="write the table there, as csv")
    options.add_argument("--quick", action="store_true", help="in seconds, for a try")
    options.add_argument("--n-processes", type=int, default=1)
