"""``python -m benchmarks.autoregressive [options]``: signals of an AR(1) process, four atoms each.

The experiment of K. Skretting, K. Engan, "Recursive least squares dictionary learning
algorithm", IEEE TSP 58 (2010), section IV.A: 32 atoms of length 16 for 2000 signals,
``x[t] = 0.95 x[t - 1] + noise``. Signal-to-noise ratio in decibels of 5000 other signals, coded by
orthogonal matching pursuit, after some passes; several draws of the signals, the same for all.
"""

import argparse

import numpy as np
from joblib import Parallel, delayed

from sklearn_resnet_sc import DictionaryLearning, sparse_encode
from sklearn_resnet_sc.datasets import make_ar1_signals
from sklearn_resnet_sc.learning import Forgetting

from .tables import add_output, mean_and_error, print_table, write_csv

PASSES = (10, 30, 100)
HEADER = ("update", *(f"after {n} passes" for n in PASSES), "against MOD")
LEARNERS = {
    "MOD": {"dictionary_update": "mod"},
    "K-SVD": {"dictionary_update": "ksvd"},
    "AK-SVD": {"dictionary_update": "aksvd"},
    "BCD": {"dictionary_update": "bcd"},
    "RLS-DLA, nothing forgotten": {
        "dictionary_update": "rls",
        "forgetting": Forgetting("constant", start=1),
    },
    "RLS-DLA, constant 0.998": {
        "dictionary_update": "rls",
        "forgetting": Forgetting("constant", start=0.998),
    },
    "RLS-DLA, cubic from 0.99": {"dictionary_update": "rls", "forgetting": "cubic"},
}


def curve(options, seed, n_passes):
    """Decibels after the passes asked for; schedules of forgetting end with the last of them."""
    training = make_ar1_signals(2000, random_state=seed)
    held_out = make_ar1_signals(5000, random_state=10_000 + seed)
    levels = []

    def level(components):
        code = sparse_encode(held_out, components, algorithm="omp", n_nonzero_coefs=4)
        error = np.linalg.norm(held_out - code @ components)
        return 20 * np.log10(np.linalg.norm(held_out) / error)

    # A run for each count: what is learned in the end is the best of all passes by the error in
    # training, and a schedule knows how long it has.
    for n in n_passes:
        learner = DictionaryLearning(
            32,
            fit_algorithm="omp",
            fit_n_nonzero_coefs=4,
            dict_init="data",
            max_iter=n,
            tol=0,
            random_state=seed,
            **options,
        ).fit(training)
        levels.append(level(learner.components_))
    return levels


def main(arguments=None):
    """Run, print, and write where asked to; returns the rows."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.autoregressive", description=__doc__
    )
    options.add_argument("--n-draws", type=int, default=20)
    add_output(options)
    arguments = options.parse_args(arguments)
    n_passes, n_draws = ((1, 2, 3), 2) if arguments.quick else (PASSES, arguments.n_draws)
    curves = Parallel(arguments.n_processes)(
        delayed(curve)(options, seed, n_passes)
        for options in LEARNERS.values()
        for seed in range(n_draws)
    )
    levels = np.reshape(curves, (len(LEARNERS), n_draws, len(n_passes)))
    reference = levels[list(LEARNERS).index("MOD"), :, -1]
    rows = [
        [
            name,
            *(mean_and_error(column) for column in level.T),
            "" if name == "MOD" else mean_and_error(level[:, -1] - reference, sign=True),
        ]
        for name, level in zip(LEARNERS, levels, strict=True)
    ]
    print_table(HEADER, rows)
    if arguments.output:
        write_csv(arguments.output, HEADER, rows)
    return rows


if __name__ == "__main__":
    main()
