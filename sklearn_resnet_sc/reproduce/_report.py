"""Sections into files: ``report.html``, the figures as PNG, and ``results.json``."""

import base64
import importlib.resources
import json
import math
import platform
import textwrap
from importlib import metadata

from .._version import __version__
from ..plotting import render_png

_DIGITS = 6  # significant digits in results.json: more than any run can promise
_ROUNDING = 1e-12  # all that is reported here is of order one or zero
_WIDTH = 100


def write_report(sections, inputs, folder, seconds):
    """Write everything, and return the report's path and the tables as text."""
    results = results_of(sections, inputs)
    images = {
        figure.name: render_png(figure.display, size=figure.size, **figure.options)
        for section in sections
        for figure in section.figures
    }
    for name, png in images.items():
        (folder / f"{name}.png").write_bytes(png)
    (folder / "results.json").write_text(results, encoding="utf-8")
    report = folder / "report.html"
    report.write_text(_html(sections, inputs, images, seconds), encoding="utf-8")
    return report, "\n\n".join(section_text(section) for section in sections)


def results_of(sections, inputs):
    """All numbers as JSON: no times, no paths, no versions, so that a seed fixes every byte."""
    content = {section.name: section.numbers for section in sections}
    content["settings"] = {
        "quick": inputs.quick,
        "seed": inputs.seed,
        "train_images": list(inputs.train),
        "test_images": list(inputs.test),
    }
    return json.dumps(_rounded(content), indent=2, sort_keys=True, allow_nan=False) + "\n"


def _rounded(value):
    """Floats to a few significant digits, rounding errors to zero, what is not finite to null."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    return float(f"{value:.{_DIGITS}g}") if abs(value) > _ROUNDING else 0.0


def section_text(section):
    """Tables and reading of a section for a terminal."""
    parts = [section.title, *(_table_text(table) for table in section.tables)]
    parts.append(textwrap.fill(section.reading, _WIDTH))
    return "\n\n".join(parts)


def _table_text(table):
    # Headings may have several lines; they stand on the rule, so blank lines go on top.
    headings = [column.split("\n") for column in table.columns]
    n_lines = max(map(len, headings))
    padded = [[""] * (n_lines - len(heading)) + heading for heading in headings]
    cells = [*zip(*padded, strict=True), *table.rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if position else cell.ljust(width)
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    lines.insert(n_lines, "-" * max(map(len, lines)))
    return "\n".join([table.caption, *lines])


def _html(sections, inputs, images, seconds):
    from jinja2 import Environment, StrictUndefined

    template = importlib.resources.files(__package__).joinpath("report.html").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(template).render(
        sections=sections,
        inputs=inputs,
        images={name: base64.b64encode(png).decode("ascii") for name, png in images.items()},
        seconds=seconds,
        versions=_versions(),
    )


def _versions():
    names = ("numpy", "scipy", "scikit-learn", "numba")
    return {
        "sklearn-resnet-sc": __version__,
        "Python": platform.python_version(),
        **{name: metadata.version(name) for name in names},
    }
