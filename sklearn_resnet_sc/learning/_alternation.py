"""The two halves of alternating learning for any row of the table of updates."""

from dataclasses import replace

import numpy as np

from .._parallel import single_threaded_blas
from ._bcd import unused_atoms
from ._mod import objective_change
from ._unused import idle_atoms, replace_atoms, worst_signals

_ROUNDING = 1e-4  # by which the length of an atom may be off


class Alternation:
    """What the driver calls, bound to signals and options.

    Parameters
    ----------
    training_set : TrainingSet
        Signals and weights.
    space : DictionarySet
        Which dictionaries may be learned.
    update : Update
        A row of the table.
    pursuit : Pursuit
        How signals are coded.
    replaces : bool
        Whether hardly used atoms and twins are replaced, too, and not only those without use.
    init : CSR of shape (n_samples, n_components) or None
        Codes to begin with.

    Attributes
    ----------
    reached : list of float
        After each update, the objective at the codes that it was made from; of updates that
        change codes, at the codes that followed it.
    largest_gap : float
        Largest distance of any update from its optimum, over the objective.
    """

    def __init__(self, training_set, space, update, pursuit, *, replaces, init=None):
        self.training_set, self.space, self._update = training_set, space, update
        self.pursuit, self._replaces, self._codes = pursuit, replaces, init
        self.mean_weight = training_set.total_weight / np.count_nonzero(training_set.weight)
        self.reached, self._n_updates = [], 0
        self._objective = self._before_replacement = np.inf
        self.largest_gap = 0.0

    def code(self, dictionary):
        """Codes of all signals in a dictionary."""
        coded = self.pursuit.code(self.training_set, dictionary, self._codes)
        if self.pursuit.warm:
            self._codes = coded.code
        self._objective = coded.objective
        if self._update.own_codes and self._n_updates > len(self.reached):
            self.reached.append(coded.objective)
        if not self._n_updates and not self._allowed(dictionary.components):
            # Atoms to begin with may be of any length; long ones make penalised codes cheap.
            return replace(coded, objective=np.inf)
        return coded

    def _allowed(self, components):
        lengths = np.linalg.norm(components, axis=1)
        return lengths.max() <= 1 + _ROUNDING and (
            self.space.ball or lengths.min() >= 1 - _ROUNDING
        )

    def update(self, dictionary, coded):
        """The next dictionary."""
        old = dictionary
        dictionary, gap = apply(self._update, self.space, old, coded, self.training_set)
        self.largest_gap = max(self.largest_gap, gap)
        self._n_updates += 1
        if not self._update.own_codes:
            # An update at given codes cannot change their number.
            counts = self.pursuit.counts
            change = 0.0 if counts else self._change(old, dictionary, coded.statistics)
            self.reached.append(self._objective + change)
        # Where signals are few a replacement may harm more than it helps; then leave it.
        self._replaces &= coded.objective <= self._before_replacement
        new = renew(
            self.space,
            dictionary,
            coded,
            self.training_set,
            mean_weight=self.mean_weight if self._replaces else None,
        )
        self._before_replacement = np.inf if new is dictionary else coded.objective
        return new

    def _change(self, old, new, statistics):
        """By how much an update has changed the objective at the codes it was made from."""
        before = old.components.astype(np.float64)
        change = new.components.astype(np.float64) - before
        return (
            objective_change(statistics.gram, statistics.cross, before, change)
            / self.training_set.total_weight
        )


def apply(update, space, dictionary, coded, training_set):
    """Call a row of the table as it wants to be called."""
    # Threads of the BLAS cost more than they bring on matrices of this size.
    with single_threaded_blas():
        if update.needs_codes:
            return update.step(space, dictionary, coded, training_set)
        return update.step(space, dictionary, coded.statistics)


def renew(space, dictionary, coded, training_set, *, mean_weight=None):
    """Replace atoms without use by the signals represented worst.

    Parameters
    ----------
    space : DictionarySet
        Which dictionaries may be learned.
    dictionary : Dictionary
        The present one.
    coded : Coded
        Codes of the training set, and the sums that tell the use of atoms.
    training_set : TrainingSet
        Where new atoms come from.
    mean_weight : float, default=None
        If given, atoms used by hardly any signal of this weight, and twins, are replaced, too.

    Returns
    -------
    Dictionary
        The new one.
    """
    statistics = coded.statistics
    idle = np.flatnonzero(unused_atoms(statistics.gram))
    if mean_weight is not None:
        others = idle_atoms(dictionary.components, statistics.usage, mean_weight)
        idle = np.union1d(idle, others)
    if not idle.size:
        return dictionary
    if coded.loss is not None:
        statistics = replace(statistics, residual_norm2=coded.loss)
    atoms = np.delete(dictionary.components.astype(np.float64), idle, axis=0)
    lengths = np.linalg.norm(atoms, axis=1, keepdims=True)
    known = np.divide(atoms, lengths, out=np.zeros_like(atoms), where=lengths > 0)
    directions = worst_signals(training_set, statistics, idle.size, known=known)
    return replace_atoms(space, dictionary, idle, directions)
