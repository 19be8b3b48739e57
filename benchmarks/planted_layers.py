"""``python -m benchmarks.planted_layers``: which strategy finds planted codes of many layers.

Signals of known codes (64 features; two layers: 4 atoms in the deepest, inner atoms of 3 nonzeros;
three: 3 atoms, inner atoms of 2), with noise from none to 20 dB. Every strategy is told how many
atoms each layer has at most. A support counts as found where the layer's atoms are those planted,
all and no other; the error is ``||g - g_true|| / ||g_true||`` in the median. Lassos leave
more atoms than asked: their largest count, and their weight is the best of a grid on signals of
their own. Time is processor time, the least of three runs.
"""

import argparse
import time

import numpy as np

from sklearn_resnet_sc.datasets import make_multilayer_sparse_signals
from sklearn_resnet_sc.multilayer import DeepCodingSolver

from .tables import add_output, print_table, write_csv

STRATEGIES = {
    "layered omp": {"strategy": "layered", "pursuit": "omp"},
    "layered ols": {"strategy": "layered", "pursuit": "ols"},
    "layered hard_threshold": {"strategy": "layered", "pursuit": "hard_threshold"},
    "layered lasso_lars": {"strategy": "layered", "pursuit": "lasso_lars"},
    "projection omp": {"strategy": "projection", "pursuit": "omp"},
    "projection ols": {"strategy": "projection", "pursuit": "ols"},
    "joint omp": {"strategy": "joint", "pursuit": "omp"},
    "joint palm": {"strategy": "joint", "pursuit": "palm"},
    "joint ml_fista": {"strategy": "joint", "pursuit": "ml_fista"},
}
WEIGHTS = (0.003, 0.01, 0.03, 0.1, 0.3)
HEADER = (
    "layers",
    "SNR",
    "strategy",
    "found first",
    "found deepest",
    "error first",
    "error deepest",
    "feasible",
    "ms a signal",
)


def solve(name, dictionaries, counts, X, alpha=None):
    """Codes of each layer, dense, with at most `counts` atoms; feasible share; seconds."""
    options = dict(STRATEGIES[name])
    penalised = options["pursuit"] in ("lasso_lars", "ml_fista")
    if penalised:
        options.update(alpha=alpha, transform_max_iter=300)
    else:
        options.update(n_nonzero_coefs=counts)
    solver = DeepCodingSolver(dictionaries, **options)
    start = time.process_time()
    solution = solver.solve(X)
    seconds = time.process_time() - start
    return [
        _largest(codes.toarray(), s) for codes, s in zip(solution.codes, counts, strict=True)
    ], seconds


def _largest(codes, count):
    smallest = np.sort(np.abs(codes), axis=1)[:, -count, None]
    return np.where(np.abs(codes) >= smallest, codes, 0)


def errors(found, truth):
    """Relative error of each signal."""
    return np.linalg.norm(found - truth, axis=1) / np.linalg.norm(truth, axis=1)


def best_weight(name, dictionaries, counts, X, truth):
    """The weight with the smallest median error of the deepest codes."""
    medians = [
        np.median(errors(solve(name, dictionaries, counts, X, alpha)[0][-1], truth))
        for alpha in WEIGHTS
    ]
    return WEIGHTS[int(np.argmin(medians))]


def feasible_share(dictionaries, counts, codes, X, noise):
    """Share of signals within the planted noise of the first layer, and exact between layers."""
    first = np.linalg.norm(X - codes[0] @ dictionaries[0], axis=1) <= 1.01 * noise + 1e-8
    inner = [
        np.linalg.norm(above - below @ matrix, axis=1) <= 1e-8 * (1 + np.linalg.norm(above, axis=1))
        for above, below, matrix in zip(codes, codes[1:], dictionaries[1:], strict=False)
    ]
    return np.logical_and.reduce([first, *inner]).mean()


def measure(sizes, snr, n_samples, seed):
    """Rows of the table for one kind of signals."""
    n_nonzero, atom_nonzero = (4, 3) if len(sizes) == 2 else (3, 2)
    X, dictionaries, codes = make_multilayer_sparse_signals(
        2 * n_samples,
        64,
        sizes,
        n_nonzero,
        atom_nonzero=atom_nonzero,
        snr=snr,
        random_state=seed,
    )
    counts = [int((layer != 0).sum(axis=1).max()) for layer in codes]
    own, rest = slice(n_samples), slice(n_samples, None)
    clean = codes[0] @ dictionaries[0]
    noise = np.linalg.norm(X - clean, axis=1)[own]
    rows = []
    for name in STRATEGIES:
        alpha = None
        if STRATEGIES[name]["pursuit"] in ("lasso_lars", "ml_fista"):
            alpha = best_weight(name, dictionaries, counts, X[rest], codes[-1][rest])
        solve(name, dictionaries, counts, X[rest][:5], alpha)  # compiles, and starts threads
        runs = [solve(name, dictionaries, counts, X[own], alpha) for _ in range(3)]
        # Idle threads of a product before may still spin, and count as time of the process.
        found, seconds = runs[0][0], min(run[1] for run in runs)
        truth = [layer[own] for layer in codes]
        same = [
            ((a != 0) == (b != 0)).all(axis=1).mean() for a, b in zip(found, truth, strict=True)
        ]
        wrong = [np.median(errors(a, b)) for a, b in zip(found, truth, strict=True)]
        feasible = feasible_share(dictionaries, counts, found, X[own], noise)
        rows.append(
            (
                len(sizes),
                "none" if snr is None else f"{snr} dB",
                name,
                f"{same[0]:.3f}",
                f"{same[-1]:.3f}",
                f"{wrong[0]:.2g}",
                f"{wrong[-1]:.2g}",
                f"{feasible:.3f}",
                f"{1e3 * seconds / n_samples:.2f}",
            )
        )
    return rows


def main(argv=None):
    """Measure, print, and write where asked."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.planted_layers")
    options.add_argument("--n-samples", type=int, default=500)
    options.add_argument("--seed", type=int, default=0)
    add_output(options)
    arguments = options.parse_args(argv)
    n_samples = 20 if arguments.quick else arguments.n_samples
    levels = (None, 20) if arguments.quick else (None, 40, 30, 20)
    stacks = ((128, 256),) if arguments.quick else ((128, 256), (96, 128, 192))
    rows = [
        row
        for sizes in stacks
        for snr in levels
        for row in measure(sizes, snr, n_samples, arguments.seed)
    ]
    print_table(HEADER, rows)
    if arguments.output:
        write_csv(arguments.output, HEADER, rows)


if __name__ == "__main__":
    main()
