"""``python -m benchmarks.recovery [ksvd] [aksvd] [mod] [options]``: are planted atoms found again?

The experiment of M. Aharon, M. Elad, A. Bruckstein, "K-SVD: an algorithm for designing
overcomplete dictionaries for sparse representation", IEEE TSP 54 (2006), section V.A: 1500 signals
of 20 entries, each a sum of 3 of 50 random atoms with Gaussian coefficients, in white noise. After
80 iterations from training signals, an atom is found where ``1 - |<d, d_hat>| < 0.01``, atoms
matched one to one.
"""

import argparse
import time
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from sklearn_resnet_sc.datasets import make_planted_dictionary_signals
from sklearn_resnet_sc.learning import DictionaryLearning, match_atoms

from .tables import add_output, mean_and_error, write_csv

UPDATES = ("ksvd", "aksvd", "mod", "rls", "bcd")
FLOORS = {10.0: 43, 20.0: 46, 30.0: 46, None: 46}  # atoms of 50 to be found; None is without noise
HEADER = ("update", "10 dB", "20 dB", "30 dB", "no noise")
_NAMES = {"ksvd": "K-SVD", "aksvd": "AK-SVD", "mod": "MOD", "rls": "RLS-DLA", "bcd": "BCD"}
_OTHER_SEEDS = 10**6


@dataclass(frozen=True)
class Recovery:
    """What one update found at one noise level."""

    update: str
    snr: float | None
    found: tuple  # number of atoms, per trial
    seconds: float  # per trial

    @property
    def mean(self):
        """Mean number of atoms found."""
        return float(np.mean(self.found))

    @property
    def standard_error(self):
        """Standard error of the mean."""
        if len(self.found) == 1:
            return float("nan")
        return float(np.std(self.found, ddof=1) / np.sqrt(len(self.found)))

    @property
    def enough(self):
        """Whether the mean reaches the floor within two standard errors."""
        return self.mean + 2 * self.standard_error >= FLOORS[self.snr]

    def __str__(self):
        noise = "none" if self.snr is None else f"{self.snr:g} dB"
        return (
            f"{self.update:<6} {noise:>6} {self.mean:6.2f} +- {self.standard_error:4.2f} of 50"
            f"  ({len(self.found)} trials, {self.seconds:.2f} s each;"
            f" {FLOORS[self.snr]} wanted{'' if self.enough else ', MISSED'})"
        )


def trial(update, snr, seed, n_iter):
    """How many atoms of one planted dictionary are found, and in how many seconds."""
    X, dictionary, _ = make_planted_dictionary_signals(snr=snr, random_state=seed)
    start = time.perf_counter()
    learner = DictionaryLearning(
        len(dictionary),
        dictionary_update=update,
        fit_algorithm="omp",
        fit_n_nonzero_coefs=3,
        dict_init="data",
        max_iter=n_iter,
        tol=0,
        replace_atoms=True,
        random_state=_OTHER_SEEDS + seed,  # the start knows nothing of the dictionary
    ).fit(X)
    seconds = time.perf_counter() - start
    return match_atoms(dictionary, learner.components_).n_close(0.01), seconds


def recover(update, snr, seeds, *, n_iter=80, n_processes=1):
    """Learn from planted dictionaries; trial by trial, how many atoms were found."""
    trials = Parallel(n_processes)(delayed(trial)(update, snr, seed, n_iter) for seed in seeds)
    found, seconds = zip(*trials, strict=True)
    return Recovery(update, snr, found, float(np.mean(seconds)))


def table(results):
    """Rows of text: what was to be found, then one an update."""
    rows = [["wanted", *(f"{floor}" for floor in FLOORS.values())]]
    for update in dict.fromkeys(result.update for result in results):
        found = {result.snr: result.found for result in results if result.update == update}
        rows.append([_NAMES[update], *(mean_and_error(found[snr]) for snr in FLOORS)])
    return rows


def main(arguments=None):
    """Run and print a line for every update and noise level."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.recovery", description=__doc__)
    options.add_argument("updates", nargs="*", metavar="UPDATE", help=", ".join(UPDATES))
    options.add_argument("--n-trials", type=int, default=50)
    options.add_argument("--n-iter", type=int, default=80)
    add_output(options)
    arguments = options.parse_args(arguments)
    if arguments.quick:
        arguments.n_trials, arguments.n_iter = 2, 5
    updates = arguments.updates or UPDATES[:3]
    if not set(updates) <= set(UPDATES):
        options.error(f"UPDATE must be among {', '.join(UPDATES)}; got {' '.join(updates)}")
    results = []
    for update in updates:
        for snr in FLOORS:
            results.append(
                recover(
                    update,
                    snr,
                    range(arguments.n_trials),
                    n_iter=arguments.n_iter,
                    n_processes=arguments.n_processes,
                )
            )
            print(results[-1], flush=True)
    if arguments.output:
        write_csv(arguments.output, HEADER, table(results))
    return results


if __name__ == "__main__":
    main()
