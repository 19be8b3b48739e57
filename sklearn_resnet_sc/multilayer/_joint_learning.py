"""Joint learning: codes, then dictionaries of all layers, in turn; the objective never rises."""

from dataclasses import dataclass, field

from tqdm import tqdm

from .._parallel import single_threaded_blas


@dataclass
class Learned:
    """What became of joint learning.

    Attributes
    ----------
    atoms : list of Atoms
        One a layer.
    codes : object
        Codes of the signals in them, of the kind that the problem uses.
    error : list of float
        Mean objective before the first update and after each.
    n_iter : int
        Number of updates of all dictionaries.
    stop_reason : str
        ``"tol"``, ``"max_iter"`` or ``"interrupted"``.
    interrupt : KeyboardInterrupt or None
        To be raised on, after the state has been stored.
    """

    atoms: list
    codes: object = None
    error: list = field(default_factory=list)
    n_iter: int = 0
    stop_reason: str = "max_iter"
    interrupt: BaseException | None = None


def learn_jointly(problem, atoms, *, max_iter, tol, verbose=0, callback=None):
    """Alternate between codes and dictionaries.

    Parameters
    ----------
    problem : JointLasso or LayeredCoding
        Signals and objective. ``code(atoms, codes)`` gives codes and losses per signal, none
        larger than those of the codes before; ``update(atoms, codes, losses)`` atoms and
        losses, whose mean is not larger; ``mean(losses)`` their weighted mean.
    atoms : list of Atoms
        To begin with.
    max_iter : int
        Most updates.
    tol : float
        Stop where an update and the coding after it gain at most `tol` times the objective.
    verbose : int, default=0
        Whether to show a progress bar.
    callback : callable, default=None
        Called after each update and the coding that follows it, with a dict:
        ``iteration`` (from 1), ``dictionaries`` and ``error`` so far.

    Returns
    -------
    Learned
        The atoms and the history; also after a KeyboardInterrupt, which is caught.
    """
    learned = Learned(atoms)
    try:
        with (
            single_threaded_blas(),
            tqdm(total=max_iter, desc="learning", unit="update", disable=not verbose) as bar,
        ):
            learned.codes, losses = problem.code(atoms)
            learned.error.append(problem.mean(losses))
            while learned.n_iter < max_iter:
                atoms, losses = problem.update(learned.atoms, learned.codes, losses)
                # Codes stand for the new atoms as well, if an interrupt comes here.
                learned.atoms = atoms
                learned.codes, losses = problem.code(atoms, learned.codes)
                learned.n_iter += 1
                learned.error.append(problem.mean(losses))
                bar.set_postfix(error=f"{learned.error[-1]:.6g}", refresh=False)
                bar.update()
                if callback is not None:
                    callback(
                        {
                            "iteration": learned.n_iter,
                            "dictionaries": [layer.components for layer in atoms],
                            "error": learned.error,
                        }
                    )
                before, after = learned.error[-2:]
                if before - after <= tol * after:
                    learned.stop_reason = "tol"
                    break
    except KeyboardInterrupt as interrupt:
        learned.stop_reason, learned.interrupt = "interrupted", interrupt
    return learned
