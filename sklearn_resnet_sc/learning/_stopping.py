"""When alternating learning ends: rules on the objective seen so far."""

import numpy as np

_PATIENCE = 3  # updates that may bring nothing: a greedy pursuit may do worse in better atoms


def settled(reached, tol):
    """Whether the last iteration has gained less than `tol` times the objective: scikit-learn's.

    Parameters
    ----------
    reached : list of float
        The objective after each update.
    tol : float
        The tolerance.

    Returns
    -------
    bool
        Whether to stop.
    """
    if len(reached) < 2:
        return False
    return bool(reached[-2] - reached[-1] < tol * reached[-1] or reached[-1] == 0)


def settles(change, tol, dictionary):
    """Whether an update has moved the atoms by at most `tol` times their number.

    Parameters
    ----------
    change : float
        The Frobenius norm of the change.
    tol : float
        The tolerance; 0 is never.
    dictionary : Dictionary
        Has the atoms.

    Returns
    -------
    bool
        Whether to stop.
    """
    return tol > 0 and change <= tol * len(dictionary.components)


def stagnant(objective, tol):
    """Whether the best objective has gained at most `tol` times itself per update, over three.

    Parameters
    ----------
    objective : list of float
        That of each coding.
    tol : float
        The tolerance.

    Returns
    -------
    bool
        Whether to stop; always where nothing is left to gain.
    """
    best = np.minimum.accumulate(objective)
    if best[-1] == 0:
        return True
    if len(best) <= _PATIENCE:
        return False
    return bool(best[-1 - _PATIENCE] - best[-1] <= _PATIENCE * tol * best[-1])
