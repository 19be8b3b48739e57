"""Curves of the report that no display of `plotting` draws."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Curves:
    """Lines by name, each a pair of arrays; drawn as steps where they are distributions."""

    lines: Mapping[str, tuple[np.ndarray, np.ndarray]]
    xlabel: str
    ylabel: str
    steps: bool = False

    def plot(self, ax, *, title=None):
        # Dashes tell lines apart that lie on one another or are printed in grey.
        dashes = ["-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (3, 1, 1, 1, 1, 1))]
        for position, (name, (x, y)) in enumerate(self.lines.items()):
            ax.plot(
                x,
                y,
                label=name,
                linestyle=dashes[position % len(dashes)],
                drawstyle="steps-post" if self.steps else "default",
            )
        ax.set(xlabel=self.xlabel, ylabel=self.ylabel, ylim=(0, None))
        if title is not None:
            ax.set_title(title)
        ax.legend()
        return self
