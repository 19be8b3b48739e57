"""Learning from a stream: sums over signals that fade, and nothing else, are kept.

J. Mairal, F. Bach, J. Ponce, G. Sapiro, "Online learning for matrix factorization
and sparse coding", JMLR 11 (2010), section 3.4.
"""

from dataclasses import replace

import numpy as np

from ._alternation import apply, renew
from ._statistics import TrainingSet


class FadingSums:
    """Sums over all signals seen; what is old counts less.

    Signals count alike, whatever the batch they came in. With batches of equal
    size b the weights are those of Mairal et al.: nothing is forgotten over the
    first ``b**2`` signals, a share of about ``b / (b**2 + t)`` at step t from then on.

    Attributes
    ----------
    gram, cross, usage : ndarray
        As in `Statistics`; in units of ``scale``.
    horizon : float
        Number of signals that the sums stand for.
    n_steps : int
        Number of batches seen.
    """

    def __init__(self, n_components, n_features):
        self.gram = np.zeros((n_components, n_components))
        self.cross = np.zeros((n_components, n_features))
        self.usage = np.zeros(n_components)
        self.energy, self.weight = 0.0, 0.0
        self.scale = None
        self.horizon, self.n_steps = 0.0, 0

    def add(self, statistics, scale, n_signals, weight):
        """Let what there is fade and add the sums over a batch."""
        growth = n_signals if self.horizon < n_signals**2 else 1
        self.horizon += growth
        fading = (self.horizon + 1 - n_signals) / (self.horizon + 1)
        self.n_steps += 1
        scale = float(scale)
        if self.scale is None:
            self.scale = scale
        # To the units of the larger signals, so that nothing overflows; a power of two.
        common = min(self.scale, scale)
        old, new = fading * (common / self.scale) ** 2, (common / scale) ** 2
        self.scale = common
        for sums, batch in (
            (self.gram, statistics.gram),
            (self.cross, statistics.cross),
        ):
            sums *= old
            sums += batch if new == 1 else new * batch
        self.energy = old * self.energy + new * statistics.energy
        self.usage = fading * self.usage + statistics.usage
        self.weight = fading * self.weight + weight

    def statistics(self, batch):
        """The sums, in place of those of a batch."""
        return replace(
            batch, gram=self.gram, cross=self.cross, usage=self.usage, energy=self.energy
        )


class Stream:
    """What the driver calls: coding takes the next batch, updating adds it to the sums.

    Parameters
    ----------
    sums : FadingSums
        What earlier batches left.
    batches : iterator
        Gives arrays of signals and of their weights (or None).
    space, update, pursuit, replaces
        As in `Alternation`.
    n_jobs : int or None
        Threads.
    """

    def __init__(self, sums, batches, space, update, pursuit, *, replaces, n_jobs):
        self.sums, self._batches, self.space = sums, batches, space
        self._update, self._pursuit, self._replaces = update, pursuit, replaces
        self._n_jobs = n_jobs
        self.training_set = None
        self.change = np.inf

    def code(self, dictionary):
        """Codes of the next batch."""
        X, weight = next(self._batches)
        self.training_set = TrainingSet(X, weight, n_jobs=self._n_jobs)
        return self._pursuit.code(self.training_set, dictionary)

    def update(self, dictionary, coded):
        """The next dictionary."""
        data, sums = self.training_set, self.sums
        sums.add(coded.statistics, data.scale, data.n_samples, data.total_weight)
        coded = replace(coded, statistics=sums.statistics(coded.statistics))
        new, _ = apply(self._update, self.space, dictionary, coded, data)
        mean_weight = sums.weight / max(sums.horizon, 1.0) if self._replaces else None
        new = renew(self.space, new, coded, data, mean_weight=mean_weight)
        self.change = float(np.linalg.norm(new.components - dictionary.components))
        return new
