"""The two halves of alternating learning: code all signals, update all atoms, replace idle ones."""

from dataclasses import replace

import numpy as np

from .._parallel import single_threaded_blas
from ._dictionary import distance
from ._surrogate import (
    length_costs,
    objective_change,
    penalty_on_lengths,
    raw_sums,
    ridge_strength,
    with_costs,
    with_ridge,
)
from ._unused import idle_atoms, replace_atoms, unused_atoms, worst_signals


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
    ridge : float, default=0.0
        How strongly the residual is drawn to zero, see `with_ridge`.
    init : CSR of shape (n_samples, n_components) or None
        Codes to begin with.

    Attributes
    ----------
    reached : list of float
        After each update, the objective at the codes that it was made from; of updates that
        change codes, at the codes that followed it.
    largest_gap : float
        Largest distance of any update from its optimum, over the objective.
    change : float
        By how much the last update has moved the atoms, all together.
    """

    def __init__(self, training_set, space, update, pursuit, *, replaces, ridge=0.0, init=None):
        self.training_set, self.space, self._update = training_set, space, update
        self.pursuit, self._replaces, self._codes = pursuit, replaces, init
        self._ridge, self._penalty = ridge, penalty_on_lengths(space, pursuit)
        self.mean_weight = training_set.total_weight / training_set.n_samples
        self.reached, self._n_updates = [], 0
        self._objective = self._before_replacement = np.inf
        self.largest_gap, self.change = 0.0, np.inf

    def code(self, dictionary):
        """Codes of all signals in a dictionary."""
        coded = self.pursuit.code(self.training_set, dictionary, self._codes)
        if self.pursuit.warm:
            self._codes = coded.code
        if self._ridge and not self.pursuit.counts:
            coded = replace(coded, objective=coded.objective + self._ridge_term(dictionary))
        self._objective = coded.objective
        if self._update.own_codes and self._n_updates > len(self.reached):
            self.reached.append(coded.objective)
        if not self._n_updates and not self.space.holds(dictionary.components):
            # Atoms to begin with may be of any length, and long ones make penalised codes cheap.
            return replace(coded, objective=np.inf)
        return coded

    @property
    def monotone(self):
        """Whether, to rounding, neither coding nor updating raises the objective."""
        return self.pursuit.penalty is not None and not self._update.own_codes

    @property
    def unit(self):
        """That of objectives, in the units of the data."""
        return 1.0 if self.pursuit.counts else self.training_set.in_units_of_data(1.0)

    def _ridge_term(self, dictionary):
        data, residual = self.training_set, dictionary.residual.astype(np.float64)
        strength = ridge_strength(self._ridge, data.energy, len(residual))
        return 0.5 * strength * np.vdot(residual, residual) / data.total_weight

    def update(self, dictionary, coded):
        """The next dictionary."""
        old = dictionary
        dictionary, gap = apply(
            self._update,
            self.space,
            old,
            coded,
            self.training_set,
            costs=length_costs(coded, self.training_set, self._penalty),
            ridge=self._ridge,
        )
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
        if not self._replaces and self.monotone and self._raises(dictionary, new, coded):
            new = dictionary
        self._before_replacement = np.inf if new is dictionary else coded.objective
        self.change = distance(new, old)
        return new

    def _raises(self, old, new, coded):
        """Whether new atoms in place of those without use may raise the objective.

        They do not themselves, but for a ridge; beside a shortcut, others may be changed to keep
        the bound.
        """
        if self.space.shortcut is None:
            return False
        used = ~unused_atoms(coded.statistics.gram)
        return bool(self._ridge) or not np.array_equal(old.residual[used], new.residual[used])

    def _change(self, old, new, statistics):
        """By how much an update has changed the objective at the codes it was made from."""
        gram, cross = raw_sums(old, statistics)
        before = _raw_atoms(self.space, old)
        change = _raw_atoms(self.space, new) - before
        return objective_change(gram, cross, before, change) / self.training_set.total_weight


def _raw_atoms(space, dictionary):
    """Atoms before they are scaled to unit length."""
    residual = dictionary.residual.astype(np.float64)
    return residual if space.shortcut is None else space.shortcut + residual


def apply(update, space, dictionary, coded, training_set, *, costs, ridge=0.0):
    """Call a row of the table as it wants to be called.

    Parameters
    ----------
    update : Update
        The row.
    space : DictionarySet
        Which dictionaries may be learned.
    dictionary : Dictionary
        The present one.
    coded : Coded
        Codes of the training set.
    training_set : TrainingSet
        Signals and weights.
    costs : ndarray of shape (n_components,)
        What penalised codes ask of the atoms for their lengths, see `length_costs`; for updates
        from sums.
    ridge : float
        See `with_ridge`; for updates that respect a bound.

    Returns
    -------
    dictionary : Dictionary
        The new one.
    gap : float
        How far its objective may be from the optimum of the step, over the objective.
    """
    # Threads of the BLAS cost more than they bring on matrices of this size.
    with single_threaded_blas():
        if not update.needs_codes:
            sums = with_costs(coded.statistics, costs)
            return update.step(space, dictionary, with_ridge(space, dictionary, sums, ridge))
        if space.shortcut is None:
            return update.step(space, dictionary, coded, training_set)
        # Atoms of unit length are found without regard to the shortcut; the residual is the rest.
        new, gap = update.step(replace(space, shortcut=None), dictionary, coded, training_set)
        return space.assemble(space.fit(new.components - space.shortcut)), gap


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
        idle = np.concatenate([np.setdiff1d(idle, others), others])  # the least used first
    if not idle.size:
        return dictionary
    return replace_atoms(
        space, dictionary, idle, new_directions(dictionary, idle, coded, training_set)
    )


def new_directions(dictionary, idle, coded, training_set):
    """Directions for idle atoms: those of the signals with the largest losses, as `worst_signals`.

    Parameters
    ----------
    dictionary : Dictionary
        The present one.
    idle : ndarray of int
        Atoms to replace; the directions are unlike the others.
    coded : Coded
        Codes of the training set.
    training_set : TrainingSet
        Where new atoms come from.

    Returns
    -------
    ndarray of shape (n_directions, n_features)
        Unit vectors, as many as there are at most.
    """
    atoms = np.delete(dictionary.components.astype(np.float64), idle, axis=0)
    lengths = np.linalg.norm(atoms, axis=1, keepdims=True)
    known = np.divide(atoms, lengths, out=np.zeros_like(atoms), where=lengths > 0)
    statistics = coded.statistics
    if coded.loss is not None:
        statistics = replace(statistics, residual_norm2=coded.loss)
    return worst_signals(training_set, statistics, idle.size, known=known)
