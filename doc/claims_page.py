"""Writes the generated part of the page on the paper's claims."""

import textwrap
from pathlib import Path

from sklearn_resnet_sc.theory import claims


def escaped(text):
    """Text that reStructuredText takes as it stands."""
    for character in "\\*`|_":
        text = text.replace(character, "\\" + character)
    return text


def array_text(name, value):
    """An array, or a list of them, as it would be typed."""
    if isinstance(value, str):
        return f'{name} = "{value}"'
    if isinstance(value, tuple):
        return f"{name} = [{', '.join(numbers(item.tolist()) for item in value)}]"
    return f"{name} = {numbers(value.tolist())}"


def numbers(value):
    if isinstance(value, list):
        return f"[{', '.join(map(numbers, value))}]"
    return f"{value:.6g}"


def overview(table):
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 8 10 47 20", ""]
    for cells in [("Claim", "Section", "About", "Verdict"), *map(row, table)]:
        lines.append(f"   * - {cells[0]}")
        lines += [f"     - {cell}" for cell in cells[1:]]
    return lines


def row(claim):
    return f":ref:`{claim.key} <claim-{claim.key}>`", claim.section, claim.title, claim.verdict


def entry(claim):
    title = f"{claim.key}: {claim.title}"
    lines = [f".. _claim-{claim.key}:", "", title, "~" * len(title), ""]
    lines += field(f"Printed (section {claim.section})", escaped(claim.statement))
    lines += field("Verdict", f"**{claim.verdict}**")
    if claim.counterexample is not None:
        arrays = ", ".join(array_text(*pair) for pair in claim.counterexample.items())
        lines += field("Counterexample", f"``{arrays}``")
    if claim.corrected is not None:
        lines += field("True", escaped(claim.corrected))
    lines += field("Why", escaped(claim.source))
    return [*lines, ""]


def field(name, text):
    return textwrap.wrap(f":{name}: {text}", 100, subsequent_indent="    ", break_long_words=False)


def write_claims(path):
    """Write an overview and one entry for each claim to `path`."""
    table = claims()
    lines = [*overview(table), "", "One by one", "----------", ""]
    for claim in table:
        lines += entry(claim)
    path = Path(path)
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
