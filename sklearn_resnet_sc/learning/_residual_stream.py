"""A residual dictionary from a stream of batches: only sums over raw codes are kept."""

from dataclasses import replace

import numpy as np

from ._alternation import apply
from ._online import Stream
from ._surrogate import length_costs


def rescaled(statistics, factors):
    """Sums for codes that are multiplied by one factor per atom."""
    return replace(
        statistics,
        gram=statistics.gram * factors * factors[:, None],
        cross=statistics.cross * factors[:, None],
    )


def add_raw(sums, coded, training_set, lengths, penalty):
    """Add the codes of a batch, divided by the lengths of their atoms, to sums.

    Lengths change from batch to batch; the update holds raw codes fixed, those of
    earlier batches as those of the last.
    """
    factors = 1 / lengths.astype(np.float64)
    costs = factors * length_costs(coded, training_set, penalty)
    raw = rescaled(coded.statistics, factors)
    sums.add(raw, costs, training_set.scale, training_set.n_samples)


class ResidualStream(Stream):
    """What the driver calls: coding takes the next batch, updating adds it to sums of raw codes.

    Parameters
    ----------
    sums : FadingSums
        What earlier batches left; of raw codes.
    batches : iterator
        Gives arrays of signals and of their weights (or None).
    space : DictionarySet
        Which dictionaries may be learned.
    update : Update
        A row of the table that needs no codes.
    pursuit : Pursuit
        How signals are coded, and what that makes small.
    ridge : float, default=0.0
        How strongly the residual is drawn to zero, see `with_ridge`.
    n_jobs : int or None
        Threads.
    """

    def __init__(self, sums, batches, space, update, pursuit, *, ridge=0.0, n_jobs):
        super().__init__(sums, batches, space, update, pursuit, replaces=True, n_jobs=n_jobs)
        self._ridge = ridge
        self.largest_gap = 0.0

    def update(self, dictionary, coded):
        """The next dictionary."""
        sums, lengths = self.sums, dictionary.lengths.astype(np.float64)
        add_raw(sums, coded, self.training_set, lengths, self._penalty)
        total = rescaled(sums.statistics(coded.statistics), lengths)
        dictionary, gap = apply(
            self._update,
            self.space,
            dictionary,
            replace(coded, statistics=total),
            self.training_set,
            costs=lengths * sums.costs,
            ridge=self._ridge,
        )
        self.largest_gap = max(self.largest_gap, gap)
        return self._replace(dictionary, coded)
