"""Check all rivals on a task, then time them in turn, round after round, in one process."""

import time
import warnings
from dataclasses import dataclass, field

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from .checks import check_codes, n_different_supports

# Idle threads of a BLAS spin for some 30 ms after a product, on a core that the next one needs.
REST = 0.1


@dataclass
class Timing:
    """Times of one rival on one task, in seconds; ``first`` is the first call of the process."""

    rival: str
    n_signals: int
    first: float
    n_different: int | None = None
    seconds: list = field(default_factory=list)

    @property
    def per_signal(self):
        """Median over the rounds, in microseconds a signal."""
        return 1e6 * float(np.median(self.seconds)) / self.n_signals

    @property
    def spread(self):
        """Fastest and slowest round, in microseconds a signal."""
        return (
            1e6 * min(self.seconds) / self.n_signals,
            1e6 * max(self.seconds) / self.n_signals,
        )

    def ratio(self, other):
        """Median over the rounds of this time a signal over that of `other` in the same round."""
        ratios = np.divide(self.seconds, other.seconds) * (other.n_signals / self.n_signals)
        return float(np.median(ratios))

    def to_dict(self):
        low, high = self.spread
        return {
            "rival": self.rival,
            "n_signals": self.n_signals,
            "first_call_seconds": self.first,
            "supports_that_differ_from_ours": self.n_different,
            "seconds": self.seconds,
            "microseconds_per_signal": {"median": self.per_signal, "min": low, "max": high},
        }


def clocked(function):
    """Seconds that a call took, and what it returned."""
    with warnings.catch_warnings():
        # Solvers complain about tolerances of their own; here the codes are checked.
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = time.perf_counter()
        result = function()
        return time.perf_counter() - start, result


def rivals_for(task, rivals):
    """The rivals that are installed and compute what the task asks for."""
    return [rival for rival in rivals if rival.installed() and rival.supports(task)]


def run_task(task, X, dictionary, rivals, *, n_threads, n_rounds, n_checked):
    """Timings of all rivals that can do `task`; ValueError where one computes something else.

    Each round times every rival once, beginning with another one each time, so that a slow spell
    of the machine meets them all, and after a rest. The number of BLAS and OpenMP threads is
    `n_threads` around each call and put back after it.
    """
    X = np.ascontiguousarray(X, dtype=task.dtype)
    dictionary = np.ascontiguousarray(dictionary, dtype=task.dtype)
    rivals = rivals_for(task, rivals)
    calls, timings, codes = [], [], {}
    for rival in rivals:
        part = X[: rival.limit(task)]
        with threadpool_limits(n_threads):
            call = rival.prepare(task, part, dictionary, n_threads)
            first, result = clocked(call)
        code = rival.codes(result)
        if code is not None:
            codes[rival.name] = code[:n_checked]
            try:
                check_codes(task, X[:n_checked], dictionary, codes[rival.name])
            except ValueError as error:
                error.add_note(f"The codes are those of {rival.name}.")
                raise
        calls.append(call)
        timings.append(Timing(rival.name, len(part), first))
        del result, code
    if "ours" in codes:
        for timing in timings:
            if timing.rival in codes and timing.rival != "ours":
                timing.n_different = n_different_supports(codes["ours"], codes[timing.rival])
    for turn in range(n_rounds):
        for place in range(len(calls)):
            chosen = (turn + place) % len(calls)
            time.sleep(REST)
            with threadpool_limits(n_threads):
                seconds, _ = clocked(calls[chosen])
            timings[chosen].seconds.append(seconds)
    return timings
