"""``python -m benchmarks.mnist``: sparse codes of digits, of one layer and more, for a classifier.

A part of the training images is learned from, another one, fixed, is held out. All features
meet the same classifier: logistic regression, scaled by one number so that their root
mean square length is one, the strength of the penalty chosen from one grid on a fifth of the
signals learned from. Codes of all layers stand side by side. Dictionaries never see a label.
"""

import argparse
import os
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from threadpoolctl import threadpool_limits

from sklearn_resnet_sc import MiniBatchDictionaryLearning, MultiLayerSparseCoder

from .tables import print_table, write_csv

STRENGTHS = (1.0, 10.0, 100.0, 1000.0)
HEADER = ("Features", "Number", "Not zero", "Fit s", "Transform s", "Accuracy %")
PASSES = 5


def load_digits(folder, n_train, n_held_out, seed):
    """Images and labels to learn from and held out, float32 from 0 to 1."""
    folder = folder or os.environ.get("SKLEARN_RESNET_SC_DATA")
    path = Path(folder or ".") / "mnist_train.npz"
    if not path.exists():
        raise SystemExit(
            "no mnist_train.npz (arrays images and labels); name its folder by --data or "
            "SKLEARN_RESNET_SC_DATA"
        )
    with np.load(path) as archive:
        images, labels = archive["images"], archive["labels"]
    order = np.random.default_rng(seed).permutation(len(images))
    train, held_out = order[:n_train], order[n_train : n_train + n_held_out]
    X = images.reshape(len(images), -1).astype(np.float32) / 255
    return X[train], labels[train], X[held_out], labels[held_out]


def accuracy(features, labels, held_out, held_out_labels):
    """Share of held-out digits that the classifier names rightly."""
    unit = np.sqrt(np.mean(np.sum(features**2, axis=1, dtype=np.float64)))
    unit = features.dtype.type(unit)
    fold = np.where(np.arange(len(labels)) < 4 * len(labels) // 5, -1, 0)
    search = GridSearchCV(
        LogisticRegression(max_iter=300, tol=1e-3),
        {"C": list(STRENGTHS)},
        cv=PredefinedSplit(fold),
    )
    with warnings.catch_warnings():
        # Weak penalties may end at max_iter; the grid decides by accuracy alone.
        warnings.simplefilter("ignore", ConvergenceWarning)
        search.fit(features / unit, labels)
    return float(search.score(held_out / unit, held_out_labels))


def one_layer(learner, alpha, **options):
    """A learner of one dictionary with codes of the lasso in fit and transform."""
    return learner(
        alpha=alpha,
        fit_algorithm="cd",
        transform_algorithm="lasso_cd",
        max_iter=PASSES,
        max_no_improvement=None,
        random_state=0,
        **options,
    )


def many_layers(n_components, alpha, algorithm, n_updates, n_iter, **options):
    """A stack with the codes of all its layers."""
    return MultiLayerSparseCoder(
        n_components,
        algorithm=algorithm,
        alpha=alpha,
        output="concat",
        n_passes=PASSES,
        max_iter=n_updates,
        transform_max_iter=n_iter if algorithm == "ml_fista" else 1000,
        random_state=0,
        **options,
    )


def transformers(options, X):
    """Names and transformers of all rows; None for the pixels."""
    from sklearn.decomposition import MiniBatchDictionaryLearning as Theirs

    # The multi-layer coder's alpha is a share of this length.
    alpha = options.alpha * float(np.sqrt(np.mean(np.sum(X**2, axis=1, dtype=np.float64))))
    width, narrow = X.shape[1], tuple(options.n_components)
    yield "pixels", None
    first = {"n_components": narrow[0]}
    start = {"dict_init": _signals(X, narrow[0])}
    if not options.leave_out_sklearn:
        yield f"{narrow[0]}, scikit-learn", one_layer(Theirs, alpha, **first, **start)
    yield f"{narrow[0]}", one_layer(MiniBatchDictionaryLearning, alpha, **first, **start)
    for algorithm, words in (("layered_lasso_cd", "layered lasso"), ("ml_fista", "ML-FISTA")):
        settings = options.alpha, algorithm, options.n_updates, options.n_iter
        for depth in range(2, len(narrow) + 1):
            name = "-".join(map(str, narrow[:depth]))
            yield f"{name}, {words}", many_layers(narrow[:depth], *settings)
        depths = range(1, options.depth + 1) if algorithm != "ml_fista" else [2]
        for depth in depths:
            name = "-".join([str(width)] * depth)
            for residual in (False, True):
                kind = "residual" if residual else "plain"
                coder = many_layers((width,) * depth, *settings, residual=residual)
                yield f"{name} {kind}, {words}", coder


def _signals(X, count):
    """Training signals of unit length to begin with, the same for all."""
    chosen = X[np.random.default_rng(0).choice(len(X), count, replace=False)]
    return chosen / np.linalg.norm(chosen, axis=1, keepdims=True)


def row(name, transformer, X, y, held_out, held_out_labels):
    """One line of the table."""
    if transformer is None:
        codes, held_out_codes, seconds = X, held_out, (0.0, 0.0)
    else:
        with warnings.catch_warnings():
            # scikit-learn's coder warns of signals singly, by the thousand.
            warnings.simplefilter("ignore", ConvergenceWarning)
            begin = time.process_time()
            transformer.fit(X)
            fitted = time.process_time()
            codes = transformer.transform(X)
            seconds = fitted - begin, time.process_time() - fitted
            held_out_codes = transformer.transform(held_out)
    share = accuracy(codes, y, held_out_codes, held_out_labels)
    times = ["" if transformer is None else f"{value:.1f}" for value in seconds]
    n_nonzero = np.count_nonzero(codes) / len(codes)
    return [name, codes.shape[1], f"{n_nonzero:.0f}", *times, f"{100 * share:.1f}"]


def compile_kernels(options, X):
    """Fit small ones of each kind, so that no row holds the compilation."""
    one_layer(MiniBatchDictionaryLearning, 1.0, n_components=8).fit(X).transform(X)
    for algorithm in ("layered_lasso_cd", "ml_fista"):
        many_layers((8, 4), options.alpha, algorithm, 1, 10).fit(X).transform(X)


def parser():
    """The options, with the values that the documentation's table was made with."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.mnist", description=__doc__)
    add = options.add_argument
    add("--data", metavar="DIR", help="folder with mnist_train.npz; else SKLEARN_RESNET_SC_DATA")
    add("--output", metavar="FILE", help="write the table there, as csv")
    add("--quick", action="store_true", help="in seconds, for a try")
    add("--n-train", type=int, default=10_000)
    add("--n-held-out", type=int, default=10_000)
    add("--n-components", type=int, nargs="+", default=[512, 256, 128])
    add("--depth", type=int, default=3, help="most layers as wide as the signal")
    add("--alpha", type=float, default=0.05, help="share of the root mean square length")
    add("--n-updates", type=int, default=3, help="joint updates of all layers")
    add("--n-iter", type=int, default=50, help="iterations of ML-FISTA")
    add("--leave-out-sklearn", action="store_true")
    add("--only", default="", help="rows whose names hold this")
    add("--seed", type=int, default=0)
    return options


def main(arguments=None):
    """Run and print; returns the rows."""
    options = parser().parse_args(arguments)
    if options.quick:
        options.n_train, options.n_held_out, options.n_components = 500, 500, [64, 32]
        options.depth, options.n_updates, options.n_iter = 1, 1, 10
    digits = load_digits(options.data, options.n_train, options.n_held_out, options.seed)
    rows = []
    with threadpool_limits(1):  # what is told is processor time
        compile_kernels(options, digits[0][:200])
        for name, transformer in transformers(options, digits[0]):
            if options.only not in name:
                continue
            rows.append(row(name, transformer, *digits))
            print(*rows[-1], sep="  ", flush=True)
            if options.output:
                write_csv(options.output, HEADER, rows)
    print_table(HEADER, rows)
    return rows


if __name__ == "__main__":
    main()
