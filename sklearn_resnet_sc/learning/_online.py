"""Learning from a stream: sums over signals that fade, and nothing else, are kept.

J. Mairal, F. Bach, J. Ponce, G. Sapiro, "Online learning for matrix factorization
and sparse coding", JMLR 11 (2010), algorithm 1; the fading is that of section 3.4.1.
"""

from dataclasses import replace

import numpy as np

from ._alternation import apply, new_directions, renew
from ._dictionary import distance
from ._statistics import TrainingSet
from ._surrogate import length_costs, penalty_on_lengths
from ._unused import idle_atoms, replace_atoms

_PER_ATOM = 2  # so many signals per atom before old ones are forgotten faster
_WARM_UP = 100  # steps that the rules for stopping leave out, or one pass


def fading(n_signals, n_new, n_components):
    """The share that sums over `n_signals` keep when `n_new` more are added.

    Old codes are codes in old atoms: to forget them is what makes learning from a stream
    fast; but few signals leave the atoms noisy. The first ``N = 2 * n_components`` signals count
    in proportion to their number, as in scikit-learn's first steps, and the n-th after them
    in proportion to ``exp(2 * sqrt(n / N))``. So the sums stand for about the last
    ``sqrt(N * n)`` signals: ever more, and an ever smaller share of all. How signals are divided
    into batches makes no difference, shares multiply.

    Parameters
    ----------
    n_signals : int
        Number of signals seen before.
    n_new : int
        Number of signals in the batch.
    n_components : int
        Number of atoms.

    Returns
    -------
    float
        From 0 to 1.
    """
    if n_signals == 0:
        return 0.0
    begin = _PER_ATOM * n_components
    before, after = (
        np.log(n / begin) if n < begin else 2 * (np.sqrt(n / begin) - 1)
        for n in (n_signals, n_signals + n_new)
    )
    return float(np.exp(before - after))


class FadingSums:
    """Sums over all signals seen; what is old counts less, see `fading`.

    Attributes
    ----------
    gram, cross, usage : ndarray
        As in `Statistics`; in units of ``scale``.
    costs : ndarray of shape (n_components,)
        Sums of `length_costs`, likewise.
    n_signals : int
        Number of signals seen, but for those without weight.
    n_steps : int
        Number of batches seen.
    """

    def __init__(self, n_components, n_features):
        self.gram = np.zeros((n_components, n_components))
        self.cross = np.zeros((n_components, n_features))
        self.usage, self.costs = np.zeros((2, n_components))
        self.energy, self.scale = 0.0, None
        self.n_signals = self.n_steps = 0

    def add(self, statistics, costs, scale, n_signals):
        """Let what there is fade and add the sums and length costs of a batch."""
        share = fading(self.n_signals, n_signals, len(self.gram))
        # To the units of the larger signals, so that nothing overflows; a power of two.
        scale = float(scale)
        common = scale if self.scale is None else min(self.scale, scale)
        old = 0.0 if self.scale is None else share * (common / self.scale) ** 2
        new = (common / scale) ** 2
        gram = old * self.gram
        cross = old * self.cross
        gram += statistics.gram if new == 1 else new * statistics.gram
        cross += statistics.cross if new == 1 else new * statistics.cross
        # All at once, so that an interrupt finds sums that belong together.
        self.gram, self.cross, self.scale = gram, cross, common
        self.energy = old * self.energy + new * statistics.energy
        self.costs = old * self.costs + new * costs
        self.usage = share * self.usage + statistics.usage
        self.n_signals += n_signals
        self.n_steps += 1

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
        self._penalty, self._n_jobs = penalty_on_lengths(space, pursuit), n_jobs
        self.training_set = self._scale = None
        self.objective = self.change = np.inf

    def code(self, dictionary):
        """Codes of the next batch."""
        X, weight = next(self._batches)
        self.training_set = TrainingSet(X, weight, n_jobs=self._n_jobs)
        coded = self._pursuit.code(self.training_set, dictionary)
        self.objective = coded.objective
        if self._pursuit.counts:
            return coded
        # Batches differ in their units. They are compared in those of the first, which are near
        # one; in the units of the data a square may have left the floating point range.
        scale = float(self.training_set.scale)
        self._scale = scale if self._scale is None else self._scale
        self.objective *= (self._scale / scale) ** 2
        return replace(coded, objective=self.training_set.in_units_of_data(coded.objective))

    def update(self, dictionary, coded):
        """The next dictionary."""
        data, sums = self.training_set, self.sums
        costs = length_costs(coded, data, self._penalty)
        sums.add(coded.statistics, costs, data.scale, data.n_samples)
        coded = replace(coded, statistics=sums.statistics(coded.statistics))
        new, _ = apply(self._update, self.space, dictionary, coded, data, costs=sums.costs)
        new = self._replace(new, coded)
        self.change = distance(new, dictionary)
        return new

    def _replace(self, dictionary, coded):
        """Replace atoms without use, and if wanted those hardly used and twins."""
        data, sums = self.training_set, self.sums
        if not self._replaces:
            return renew(self.space, dictionary, coded, data)
        mean_weight = data.total_weight / data.n_samples
        idle = idle_atoms(dictionary.components, sums.usage, mean_weight)
        if not idle.size:
            return dictionary
        directions = new_directions(dictionary, idle, coded, data)
        new = idle[: len(directions)]
        # What old codes say of an atom that is gone would bring it back. A new atom
        # has as much credit as the average one; unless it is used, that fades.
        sums.usage[new] = sums.usage.mean()
        sums.gram[new], sums.gram[:, new], sums.cross[new], sums.costs[new] = 0, 0, 0, 0
        return replace_atoms(self.space, dictionary, idle, directions)


def batches_of(X, weight, order, size):
    """Batches of X, or of some of its rows in an order, over and over."""
    n_samples = len(X) if order is None else len(order)
    while True:
        for first in range(0, n_samples, size):
            rows = slice(first, min(first + size, n_samples))
            if order is not None:
                rows = order[rows]
            yield X[rows], None if weight is None else weight[rows]


class StoppingRule:
    """When to stop, as in scikit-learn: from the change of the atoms and the objective."""

    def __init__(self, tol, patience, batch_size, n_samples, n_components):
        self.tol, self.patience, self.n_components = tol, patience, n_components
        self.warm_up = min(_WARM_UP, n_samples / batch_size)
        self.n_samples = n_samples
        self.mean = self.least = None
        self.n_steps = self.n_idle = 0

    def __call__(self, stream):
        objective = stream.objective
        self.n_steps += 1
        if self.n_steps <= self.warm_up:
            return ""
        share = min(stream.training_set.n_samples / (self.n_samples + 1), 1.0)
        self.mean = objective if self.mean is None else self.mean + share * (objective - self.mean)
        if self.tol > 0 and stream.change <= self.tol * self.n_components:
            return "tol"
        if self.least is None or self.mean < self.least:
            self.least, self.n_idle = self.mean, 0
        else:
            self.n_idle += 1
        if self.patience is not None and self.n_idle >= self.patience:
            return "no_improvement"
        return ""
