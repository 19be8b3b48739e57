"""``python -m benchmarks.multilayer``: ML-FISTA beside its matrix products alone, and torch.

Two times of products: of those of the iteration as it is written down, and of those taken here.
"""

import argparse
import json
import os
import time
import warnings
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from sklearn_resnet_sc.multilayer import DeepCodingSolver

from .report import environment
from .runner import REST, clocked

BLOCKS = (256, 1024, 4096)  # signals at a time that products and torch are tried with
_TRIAL = 4096  # signals of the trial


def parser():
    """The options, with the values that the documentation's table was made with."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.multilayer", description=__doc__)
    add = options.add_argument
    add("--n-signals", type=int, default=20_000)
    add("--n-components", type=int, nargs="+", default=[512, 256])
    add("--alpha", type=float, default=0.1)
    add("--n-iter", type=int, default=50)
    add("--n-threads", type=int, nargs="+", default=[2])
    add("--dtype", nargs="+", default=["float32", "float64"], choices=["float64", "float32"])
    add("--n-rounds", type=int, default=3)
    add("--seed", type=int, default=0)
    add("--data", metavar="DIR", help="folder with mnist_train.npz; else SKLEARN_RESNET_SC_DATA")
    add("--json", metavar="FILE", help="write all times there")
    add("--output", metavar="FILE", help="write the table there")
    return options


def load_signals(n_signals, folder, seed):
    """Digits where there are any, else signals of uniform entries; what they are."""
    folder = folder or os.environ.get("SKLEARN_RESNET_SC_DATA")
    if folder and (path := Path(folder) / "mnist_train.npz").exists():
        with np.load(path) as archive:
            images = archive["images"][:n_signals]
        return images.reshape(len(images), -1) / 255, "MNIST digits"
    return np.random.default_rng(seed).random((n_signals, 784)), "uniform entries"


def random_stack(n_features, n_components, seed):
    """Random unit atoms: what they are does not change the time of a fixed number of steps."""
    rng = np.random.default_rng(seed)
    stack, width = [], n_features
    for size in n_components:
        atoms = rng.standard_normal((size, width))
        stack.append(atoms / np.linalg.norm(atoms, axis=1, keepdims=True))
        width = size
    return stack


def ours(X, stack, alpha, n_iter, n_threads):
    solver = DeepCodingSolver(
        stack,
        strategy="joint",
        pursuit="ml_fista",
        alpha=alpha,
        transform_max_iter=n_iter,
        output="last",
        n_jobs=n_threads,
    )
    with warnings.catch_warnings():
        # So many iterations are asked for, whether codes are at rest or not.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return solver.fit(X[:10]).transform(X)


def products(X, stack, n_iter, block, *, with_gram=False):
    """The products of as many iterations, into memory that is there, and nothing else.

    As the iteration is written down; or as ours takes them, one with the Gram matrix of the first
    dictionary in place of two with its atoms.
    """
    sizes = [X.shape[1], *(len(atoms) for atoms in stack)]
    down, up = ([np.zeros((block, size), X.dtype) for size in sizes] for _ in range(2))
    gram = stack[0] @ stack[0].T
    last = 1 if with_gram else 0  # layer that the way down ends at
    for first in range(0, len(X), block):
        size = min(block, len(X) - first)
        for _ in range(n_iter):
            for layer in range(len(stack), last, -1):
                np.dot(down[layer][:size], stack[layer - 1], out=down[layer - 1][:size])
            if with_gram:
                np.dot(down[1][:size], gram, out=up[1][:size])
            for layer in range(last + 1, len(stack) + 1):
                np.dot(down[layer - 1][:size], stack[layer - 1].T, out=up[layer][:size])


def in_torch(X, stack, alpha, n_iter, n_threads, block):
    """The same iteration as one writes it in torch."""
    import torch

    torch.set_num_threads(n_threads)
    atoms = [torch.from_numpy(matrix) for matrix in stack]
    steps = [1 / float(np.linalg.norm(matrix, 2)) ** 2 for matrix in stack]
    thresholds = [float(value) * alpha for value in np.cumprod(steps)]
    shrink = torch.nn.functional.softshrink

    def solve(part):
        code = point = torch.zeros(len(part), len(atoms[-1]), dtype=part.dtype)
        weight = 1.0
        for _ in range(n_iter):
            points = [point]
            for matrix in reversed(atoms):
                points.append(points[-1] @ matrix)
            points.reverse()
            above = part
            for i, matrix in enumerate(atoms):
                moved = torch.addmm(points[i + 1], points[i] - above, matrix.T, alpha=-steps[i])
                above = shrink(moved, thresholds[i])
            following = (1 + (1 + 4 * weight**2) ** 0.5) / 2
            point = above + (weight - 1) / following * (above - code)
            code, weight = above, following
        return code

    with torch.no_grad():
        parts = torch.from_numpy(X).split(block)
        return torch.cat([solve(part) for part in parts]).numpy()


def chosen_block(call, X):
    """The block size with which a few signals take least time."""
    few = X[:_TRIAL]
    call(few, BLOCKS[0])  # so that what is first done counts for none of them
    return min(BLOCKS, key=lambda block: clocked(partial(call, few, block))[0])


def measure(X, stack, arguments, dtype, n_threads):
    """One row of the table: median seconds, and the objective that was reached."""
    X = np.ascontiguousarray(X, dtype=dtype)
    stack = [np.ascontiguousarray(matrix, dtype=dtype) for matrix in stack]
    alpha, n_iter = arguments.alpha, arguments.n_iter
    in_blocks = {
        "products": lambda part, block: products(part, stack, n_iter, block),
        "taken": lambda part, block: products(part, stack, n_iter, block, with_gram=True),
    }
    if find_spec("torch"):
        in_blocks["torch"] = lambda part, block: in_torch(
            part, stack, alpha, n_iter, n_threads, block
        )
    with threadpool_limits(n_threads):
        ours(X[:_TRIAL], stack, alpha, n_iter, n_threads)  # compiles
        calls = {"ours": partial(ours, X, stack, alpha, n_iter, n_threads)}
        for name, call in in_blocks.items():
            calls[name] = partial(call, X, chosen_block(call, X))
        seconds, codes = {name: [] for name in calls}, {}
        for _ in range(arguments.n_rounds):
            for name, call in calls.items():
                time.sleep(REST)
                taken, codes[name] = clocked(call)
                seconds[name].append(taken)
    return {
        "dtype": dtype,
        "n_threads": n_threads,
        "seconds": {name: float(np.median(values)) for name, values in seconds.items()},
        "objective": {
            name: objective(X, stack, alpha, code)
            for name, code in codes.items()
            if code is not None
        },
    }


def objective(X, stack, alpha, deepest):
    """Mean objective of the multi-layer lasso, in float64."""
    code, penalty = deepest.astype(np.float64), 0.0
    for matrix in reversed(stack):
        penalty += alpha * np.abs(code).sum()
        code = code @ matrix
    return (0.5 * np.sum((X - code) ** 2) + penalty) / len(X)


def text(rows, arguments, what):
    """The table as it is printed."""
    sizes = "-".join(map(str, [784, *arguments.n_components]))
    lines = [
        f"ML-FISTA, {arguments.n_iter} iterations of {arguments.n_signals} signals "
        f"({what}), stack {sizes}; seconds, the fastest block size of products and torch",
        f"{'dtype':9}{'threads':>8}{'products':>10}{'taken':>8}{'ours':>8}{'x products':>12}"
        f"{'x taken':>9}{'torch':>8}{'torch/ours':>12}{'objective ours, torch':>30}",
    ]
    for row in rows:
        seconds, value = row["seconds"], row["objective"]
        torch = seconds.get("torch", np.nan)
        lines.append(
            f"{row['dtype']:9}{row['n_threads']:8}{seconds['products']:10.2f}"
            f"{seconds['taken']:8.2f}{seconds['ours']:8.2f}"
            f"{seconds['ours'] / seconds['products']:12.2f}"
            f"{seconds['ours'] / seconds['taken']:9.2f}{torch:8.2f}"
            f"{torch / seconds['ours']:12.2f}"
            f"{value['ours']:15.8g}{value.get('torch', np.nan):15.8g}"
        )
    return "\n".join(lines)


def main(argv=None):
    """Measure, print, and write where asked."""
    arguments = parser().parse_args(argv)
    X, what = load_signals(arguments.n_signals, arguments.data, arguments.seed)
    stack = random_stack(X.shape[1], arguments.n_components, arguments.seed)
    rows = [
        measure(X, stack, arguments, dtype, n_threads)
        for dtype in arguments.dtype
        for n_threads in arguments.n_threads
    ]
    table = text(rows, arguments, what)
    print(table)
    if arguments.output:
        Path(arguments.output).write_text(table + "\n", encoding="utf-8")
    if arguments.json:
        report = {"environment": environment(), "rows": rows}
        Path(arguments.json).write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
