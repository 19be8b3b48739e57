"""``python -m benchmarks [omp] [ols] [lasso] [options]``: ours beside others, in one run."""

import argparse
import json
from itertools import product

from .report import environment, table
from .rivals import ALL
from .runner import run_task
from .tasks import Task, alpha_at_density, load_problem, squared_residual_at, unit_lengths

PURSUITS = ("omp", "ols", "lasso")


def parser():
    """The options; where the documentation's table was made with others, its headings tell."""
    options = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = options.add_argument
    add("pursuits", nargs="*", metavar="PURSUIT", help="omp, ols, lasso (default: all)")
    add("--n-signals", type=int, default=100_000)
    add("--n-components", type=int, default=256)
    add("--side", type=int, default=8, help="patches are SIDE x SIDE")
    add("--n-nonzero", type=int, nargs="*", default=[5, 10], metavar="S")
    add("--density", type=float, nargs="*", default=[0.05, 0.1], help="shares of nonzeros, lasso")
    add("--lasso-tol", type=float, nargs="*", default=[0.1], help="squared residuals, lasso")
    add("--psnr", type=float, nargs="*", default=[38.0], help="also code to these, in decibels")
    add("--max-atoms", type=int, default=32, help="at most so many atoms with --psnr")
    add("--dtype", nargs="+", default=["float64", "float32"], choices=["float64", "float32"])
    add("--dictionary", default="dct", choices=["dct", "data"])
    add("--data", metavar="DIR", help="folder with images.npz; else SKLEARN_RESNET_SC_DATA")
    add("--rivals", nargs="+", default=[*ALL], choices=[*ALL])
    add("--n-threads", type=int, default=2)
    add("--n-rounds", type=int, default=7)
    add("--n-checked", type=int, default=300, help="signals whose codes are checked")
    add("--seed", type=int, default=0)
    add("--json", metavar="FILE", help="write all times there")
    return options


def tasks(arguments, X, dictionary):
    """Every row that the options ask for."""
    tol = [squared_residual_at(psnr, arguments.side**2) for psnr in arguments.psnr]
    pursuits = arguments.pursuits or PURSUITS
    for pursuit, dtype in product(pursuits, arguments.dtype):
        if pursuit == "lasso":
            continue
        for count in arguments.n_nonzero:
            yield Task(pursuit, dtype, count)
        for bound in tol:
            yield Task(pursuit, dtype, arguments.max_atoms, bound)
    if "lasso" in pursuits:
        signals = unit_lengths(X)
        alphas = [alpha_at_density(signals, dictionary, share) for share in arguments.density]
        for dtype in arguments.dtype:
            yield from (Task("lasso", dtype, alpha=alpha) for alpha in alphas)
            yield from (Task("lasso", dtype, tol=bound) for bound in arguments.lasso_tol)


def main(arguments=None):
    """Run, print a table a task, write JSON where asked to; returns what is written."""
    options = parser()
    arguments = options.parse_args(arguments)
    if not set(arguments.pursuits) <= set(PURSUITS):
        options.error(f"PURSUIT must be omp, ols or lasso; got {' '.join(arguments.pursuits)}")
    X, dictionary, source = load_problem(
        arguments.n_signals,
        arguments.n_components,
        side=arguments.side,
        dictionary=arguments.dictionary,
        folder=arguments.data,
        seed=arguments.seed,
    )
    machine = environment()
    report = {
        "environment": machine,
        "options": {**vars(arguments), "data": source},
        "tasks": [],
    }
    print(f"{machine['processor']}, {machine['usable_cores']} cores; {', '.join(machine['blas'])}")
    print(", ".join(f"{name} {version}" for name, version in machine["versions"].items()))
    print(
        f"{len(X)} patches ({source}), {arguments.dictionary} dictionary of {len(dictionary)} "
        f"atoms, {arguments.n_threads} threads, {arguments.n_rounds} rounds.\n"
        "Median and range of the rounds in microseconds a signal; ratios are medians of those "
        "within a round.\n"
        "The first call holds the compilation where none was cached; other: supports that differ "
        f"from ours among {arguments.n_checked}.\n"
    )
    for task in tasks(arguments, X, dictionary):
        timings = run_task(
            task,
            unit_lengths(X) if task.pursuit == "lasso" else X,
            dictionary,
            [ALL[name] for name in arguments.rivals],
            n_threads=arguments.n_threads,
            n_rounds=arguments.n_rounds,
            n_checked=arguments.n_checked,
        )
        print(table(task, timings) + "\n", flush=True)
        ours = next((timing for timing in timings if timing.rival == "ours"), None)
        report["tasks"].append(
            {
                "task": str(task),
                "timings": [
                    {**timing.to_dict(), "times_ours": ours and timing.ratio(ours)}
                    for timing in timings
                ],
            }
        )
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
    return report


if __name__ == "__main__":
    main()
