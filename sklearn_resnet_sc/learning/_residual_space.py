"""Which residual dictionaries may be learned, as parameters of the learner ask for them."""

import numpy as np
from scipy.linalg import svdvals

from .._parallel import single_threaded_blas
from ._dictionary import DictionarySet
from ._incoherence import make_cap
from ._initial import atoms_from_data
from ._shortcuts import make_shortcut
from ._updates import RESIDUAL_UPDATES, refuse_penalty, refuse_signs, require

_AUTO_BOUND = 0.9


def count_atoms(n_components, shortcut, n_features):
    """Number of atoms where it may be left to the shortcut or the signals."""
    if n_components is not None:
        return n_components
    if shortcut is None or isinstance(shortcut, str):
        return n_features
    return np.shape(shortcut)[0]


def choose_bound(residual_bound, shortcut):
    """The rho of the bound, or None.

    Parameters
    ----------
    residual_bound : float, "auto" or None
        As the parameter.
    shortcut : object
        Likewise; whether it is None matters.

    Returns
    -------
    float or None
        In (0, 1).

    Raises
    ------
    ValueError
        If it is not, or there is no shortcut whose residual it could bound.
    """
    if isinstance(residual_bound, str):
        return None if shortcut is None else _AUTO_BOUND
    if residual_bound is None:
        return None
    if not 0 < residual_bound < 1:
        raise ValueError(
            f'residual_bound must lie in (0, 1), "auto" or None; got {residual_bound!r}'
        )
    if shortcut is None:
        raise ValueError(
            f"residual_bound={residual_bound!r} bounds the residual beside a shortcut; with "
            'shortcut=None it must be "auto" or None'
        )
    return float(residual_bound)


def space_of(shortcut, rho, dtype, cap=None):
    """The set of dictionaries for a shortcut (a matrix or None), a bound and a cap (or None)."""
    if rho is None:
        return DictionarySet(shortcut, None, np.dtype(dtype), cap=cap)
    with single_threaded_blas():
        smallest = float(svdvals(shortcut.astype(np.float64))[-1])
    return DictionarySet(shortcut, rho * smallest, np.dtype(dtype))


def choose_cap(max_coherence, shortcut, shape):
    """What coherence must not exceed, a `CoherenceCap` or None; beside a shortcut nothing."""
    cap = make_cap(max_coherence, *shape)
    if cap is not None and shortcut is not None:
        raise ValueError(
            f"max_coherence={max_coherence!r} turns atoms with no regard to a shortcut; "
            "it must be None, or the shortcut None"
        )
    return cap


def first_dictionary(
    shortcut, n_components, rho, training_set, random_state, cap=None, *, residual=None
):
    """The set of dictionaries, and the one to begin with: the shortcut, or training signals.

    Parameters
    ----------
    shortcut : str, array-like or None
        As the parameter.
    n_components : int
        Number of atoms.
    rho : float or None
        The bound.
    training_set : TrainingSet
        The signals.
    random_state : RandomState
        Chooses signals where there is no shortcut.
    cap : CoherenceCap or None, default=None
        What coherence must not exceed, where there is no shortcut.
    residual : ndarray or None, default=None
        That of an earlier fit, to go on with.

    Returns
    -------
    space : DictionarySet
        Which dictionaries may be learned.
    dictionary : Dictionary
        The first.

    Raises
    ------
    ValueError
        If the shortcut is not valid.
    """
    n_features, dtype = training_set.n_features, training_set.X.dtype
    shortcut = make_shortcut(
        shortcut, n_components, n_features, covariance=training_set.covariance, dtype=dtype
    )
    if residual is None and shortcut is None:
        residual = atoms_from_data(training_set, n_components, random_state)
    elif residual is None:
        residual = np.zeros(shortcut.shape)
    space = space_of(shortcut, rho, dtype, cap)
    return space, space.assemble(space.fit(residual))


def choose_update(learner, rho):
    """The update that the learner names, if it can do what is asked.

    Parameters
    ----------
    learner : ResidualDictionaryLearning
        Has the parameters.
    rho : float or None
        The bound.

    Returns
    -------
    Update
        The row of the table.

    Raises
    ------
    ValueError
        If it cannot; with the reason and the updates that can.
    """
    name, ridge = learner.dictionary_update, learner.ridge
    if ridge and learner.shortcut is None:
        raise ValueError(
            f"ridge={ridge!r} draws the residual beside a shortcut to zero; with "
            "shortcut=None it must be 0"
        )
    finds_atoms = "finds unit atoms without regard to the shortcut and cannot"

    def respects_bound(row):
        return row.respects_bound

    if rho is not None:
        reason = f"{finds_atoms} keep a bound on the residual; with residual_bound={rho}"
        require(RESIDUAL_UPDATES, name, respects_bound, reason)
    if ridge:
        reason = f"{finds_atoms} weigh a ridge; with ridge={ridge}"
        require(RESIDUAL_UPDATES, name, respects_bound, reason)
    if learner._penalised:
        refuse_penalty(RESIDUAL_UPDATES, name, learner.fit_algorithm)
    if learner.positive_code:
        refuse_signs(RESIDUAL_UPDATES, name)
    return RESIDUAL_UPDATES[name]


def learns_from_batches(learner):
    """Whether the update of a learner needs sums over signals only.

    Parameters
    ----------
    learner : ResidualDictionaryLearning
        Has the parameters.

    Returns
    -------
    bool
        True; also of updates that are not known, which are refused elsewhere.

    Raises
    ------
    ValueError
        If it needs more; it names the updates that do not.
    """
    name = learner.dictionary_update
    if isinstance(name, str) and name in RESIDUAL_UPDATES:
        reason = "needs the codes of all signals; for partial_fit"
        require(RESIDUAL_UPDATES, name, lambda row: not row.needs_codes, reason)
    return True
