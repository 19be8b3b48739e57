"""The alternating loop: code, then update; with history, progress, stopping and interrupts."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tqdm import tqdm

from .._parallel import single_threaded_blas
from ._stopping import stagnant


@dataclass
class Course:
    """What became of a fit.

    Attributes
    ----------
    best : object
        The dictionary with the smallest objective seen; of a stream, the last one.
    coded : object
        What it was coded to; of a stream, the last batch before its update.
    error : list of float
        Mean squared error of each dictionary coded; the first is that of the start.
    n_nonzero : list of float
        Mean number of atoms per signal, likewise.
    objective : list of float
        What was to be made small, likewise.
    n_iter : int
        Number of updates.
    stop_reason : str
        ``"tol"``, ``"max_iter"``, ``"interrupted"`` or another word that `settled` gave.
    interrupt : KeyboardInterrupt or None
        To be raised on, after the state has been stored.
    """

    best: Any
    coded: Any = None
    error: list = field(default_factory=list)
    n_nonzero: list = field(default_factory=list)
    objective: list = field(default_factory=list)
    n_iter: int = 0
    stop_reason: str = "max_iter"
    interrupt: BaseException | None = None


def alternate(
    dictionary,
    code,
    update,
    *,
    max_iter,
    tol=0.0,
    settled=None,
    stream=False,
    verbose=0,
    callback=None,
):
    """Alternate between coding and updating; remember the best dictionary.

    A greedy pursuit may find worse codes in a better dictionary, so the
    objective can rise from one coding to the next; the dictionary returned is
    the best of all that were coded.

    Parameters
    ----------
    dictionary : object
        To begin with.
    code : callable
        Codes the signals in a dictionary; the result has ``objective``, ``error``
        and ``n_nonzero``.
    update : callable
        A new dictionary from a dictionary and what ``code`` returned.
    max_iter : int
        Most updates.
    tol : float
        Stop where the best objective has gained less than ``tol`` times itself per update
        over the last three updates. Not used with `settled`.
    settled : callable, default=None
        Another rule: from the course so far, why to stop, or nothing.
    stream : bool, default=False
        Whether every coding is of other signals, so that objectives do not compare. Then the
        last dictionary is kept, and coding ends with the last update.
    verbose : int, default=0
        Whether to show a progress bar.
    callback : callable, default=None
        Called after every update and the coding that follows it, with a dict: ``iteration``
        (from 1), ``dictionary``, ``coded`` and the lists ``error`` and ``objective`` so far. Of a
        stream, before the next coding.

    Returns
    -------
    Course
        The best dictionary and the history; also after a KeyboardInterrupt, which is caught.
    """
    course = Course(best=dictionary)
    smallest = []  # best objective so far, after each coding
    if settled is None:

        def settled(course):
            return "tol" if stagnant(course.objective, tol) else ""

    try:
        # Held once for all iterations: to set and restore the limit takes longer than many steps.
        with (
            single_threaded_blas(),
            tqdm(total=max_iter, desc="learning", unit="update", disable=not verbose) as bar,
        ):
            while not (stream and course.n_iter == max_iter):
                coded = code(dictionary)
                if stream or not smallest or coded.objective < smallest[-1]:
                    course.best, course.coded = dictionary, coded
                course.error.append(coded.error)
                course.n_nonzero.append(coded.n_nonzero)
                course.objective.append(coded.objective)
                smallest.append(min(coded.objective, smallest[-1] if smallest else np.inf))
                bar.set_postfix(error=f"{coded.error:.6g}", refresh=False)
                if stream:
                    course.best = dictionary = update(dictionary, coded)
                    course.n_iter += 1
                    bar.update()
                if callback is not None and course.n_iter:
                    callback(
                        {
                            "iteration": course.n_iter,
                            "dictionary": dictionary,
                            "coded": coded,
                            "error": course.error,
                            "objective": course.objective,
                        }
                    )
                if reason := settled(course):
                    course.stop_reason = reason
                    break
                if not stream:
                    if course.n_iter == max_iter:
                        break
                    dictionary = update(dictionary, coded)
                    course.n_iter += 1
                    bar.update()
    except KeyboardInterrupt as interrupt:
        course.stop_reason, course.interrupt = "interrupted", interrupt
    return course
