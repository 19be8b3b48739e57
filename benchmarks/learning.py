"""``python -m benchmarks.learning [options]``: dictionary learning beside others, in one run.

Everybody starts from the same atoms and sees the same patches of unit length. Learning from
batches: the time of ours is that until the mean penalised error of patches that nobody has learned
from, with exact codes in float64 for all alike, is at most (to six digits) what the other
had reached after so many steps. DictionaryLearning: the time of a fit. K-SVD and its approximation:
the time of an iteration, coding and update.
"""

import argparse
import json
import time
from importlib.util import find_spec
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits

from . import learners
from .report import environment
from .runner import REST
from .tasks import load_problem, unit_lengths

COLUMNS = {  # name: width
    "task": 6, "other": 17, "dtype": 7, "threads": 7, "steps": 5, "objective": 9, "ours": 9,
    "seconds": 8, "ours ": 8, "ratio": 6, "floor": 5, "target": 6,
}  # fmt: skip
SHORT = (1, 2, 5, 20)  # steps of other learners, timed several times ...
LONG = (100, 400, 1000, 3000)  # ... and once
TASKS = ("online", "batch", "sweep")
OUR_STEPS = sorted({*range(1, 21), *(int(20 * 1.1**i) for i in range(53)), 3000})
_ROUNDING = 1e-6  # objectives that differ by less, relatively, are equal
PEERS = {  # name: module, how, most steps, floor, target
    "SPAMS": ("spams", learners.spams, 1000, 1.7, 4),
    "scikit-learn lars": ("sklearn", learners.scikit_learn, 20, 20, 50),
    "scikit-learn cd": ("sklearn", learners.scikit_learn_cd, 100, 20, 50),
}
SWEEPS = {"AK-SVD": ("aksvd", 7, 15), "K-SVD": ("ksvd", 5, 10)}


def online_rows(setup, held_out, names, options, clock):
    """Rows of the table for learning from batches, from one set of runs of ours."""
    most = min(options.n_steps, options.n_steps if converges(setup) else 1000)
    our_runs, their_runs = [], {name: [] for name in names}
    for turn in range(options.n_rounds):
        # All rounds go so far as their few steps; the first one to the end.
        for name in names:
            _, run, limit, _, _ = PEERS[name]
            if turn and name != "SPAMS":
                continue  # seconds, of which noise is a small part
            limit = most if name == "SPAMS" else min(limit, most)
            steps = [n for n in (*SHORT, *(() if turn else LONG)) if n <= limit]
            time.sleep(REST)
            their_runs[name].append(run(setup, steps, clock))
        time.sleep(REST)
        last = SHORT[-1] if turn else most
        our_runs.append(learners.ours(setup, [n for n in OUR_STEPS if n <= last], clock))
    mine = curve(our_runs, held_out, setup.alpha)
    for name in names:
        floor, target = PEERS[name][3:]
        for n_steps, seconds, objective in curve(their_runs[name], held_out, setup.alpha):
            reached = first_as_low(mine, objective)
            yield row("online", name, setup, n_steps, seconds, objective, reached, floor, target)


def converges(setup):
    """Whether the run is the one that goes on until the other has converged: it takes minutes."""
    return setup.n_threads == 1 and setup.X.dtype == np.float64


def curve(runs, held_out, alpha):
    """Steps, median seconds and objective; dictionaries are the same in all runs."""
    return [
        (
            n_steps,
            median(run[n_steps][0] for run in runs if n_steps in run),
            learners.penalised_error(held_out, atoms, alpha),
        )
        for n_steps, (_, atoms) in runs[0].items()
    ]


def first_as_low(points, objective):
    """Seconds and objective of the first point that is as low as an objective, or None."""
    enough = objective * (1 + _ROUNDING)
    return next(((s, value) for _, s, value in points if value <= enough), None)


def batch_row(setup, options, clock):
    """The row of `DictionaryLearning`; its objective is that of the training signals."""
    setup = setup.part(options.n_batch_signals)
    n_iter = options.n_batch_iterations
    results = []
    for learn in (learners.their_batch_learning, learners.our_batch_learning):
        time.sleep(REST)
        begin = clock()
        atoms = learn(setup, n_iter)
        results.append((clock() - begin, learners.penalised_error(setup.X, atoms, setup.alpha)))
    theirs, mine = results
    return row("batch", "scikit-learn", setup, n_iter, *theirs, mine, 30, 100)


def sweep_row(task, setup, options, clock):
    """The row of an update by supports: the time of an iteration, the error after them all."""
    update, floor, target = SWEEPS[task]
    setup = setup.part(options.n_sweep_signals)
    n_iter = options.n_sweep_iterations
    seconds, atoms = {}, {}
    for _ in range(options.n_rounds):
        for learn in (learners.their_sweeps, learners.our_sweeps):
            ends = []
            for count in (1, 1 + n_iter):
                time.sleep(REST)
                begin = clock()
                atoms[learn] = learn(setup, count, update, options.n_nonzero)
                ends.append(clock() - begin)
            seconds.setdefault(learn, []).append((ends[1] - ends[0]) / n_iter)
    theirs, mine = (
        (median(seconds[learn]), learners.greedy_error(setup.X, atoms[learn], options.n_nonzero))
        for learn in (learners.their_sweeps, learners.our_sweeps)
    )
    return row(task, "dictlearn", setup, 1 + n_iter, *theirs, mine, floor, target)


def row(task, other, setup, n_steps, seconds, objective, mine, floor, target):
    """One row of the table, as a dict."""
    our_seconds, our_objective = (None, None) if mine is None else mine
    return {
        "task": task,
        "other": other,
        "dtype": str(setup.X.dtype),
        "threads": setup.n_threads,
        "steps": n_steps,
        "objective": objective,
        "our objective": our_objective,
        "seconds": seconds,
        "our seconds": our_seconds,
        "ratio": None if our_seconds is None else seconds / our_seconds,
        "floor": floor,
        "target": target,
    }


def line_of(cells):
    """Cells in columns."""
    return "  ".join(
        cell.ljust(width) if i < 3 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, COLUMNS.values(), strict=True))
    ).rstrip()


def formatted(entry):
    """A row as a line of text."""
    styles = {"objective": ".6f", "seconds": ".4f", "ratio": ".1f"}
    cells = []
    for name, value in entry.items():
        style = styles.get(name.removeprefix("our "), "")
        cells.append("never" if value is None else f"{value:{style}}")
    return line_of(cells)


def parser():
    """The options, all with the values that the documentation's table was made with."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=__doc__)
    add = options.add_argument
    add("--n-signals", type=int, default=50_000)
    add("--n-held-out", type=int, default=5_000)
    add("--n-components", type=int, default=256)
    add("--alpha", type=float, default=0.12)
    add("--batch-size", type=int, default=512)
    add("--dtype", nargs="+", default=["float64", "float32"], choices=["float64", "float32"])
    add("--n-threads", nargs="+", type=int, default=[1, 2])
    add("--data", metavar="DIR", help="folder with images.npz; else SKLEARN_RESNET_SC_DATA")
    add("--peers", nargs="*", default=[*PEERS], choices=[*PEERS], help="in learning from batches")
    add("--tasks", nargs="+", default=[*TASKS], choices=[*TASKS])
    add("--n-steps", type=int, default=3000, help="most steps, one thread in float64; else 1000")
    add("--n-batch-signals", type=int, default=3_000, help="for DictionaryLearning")
    add("--n-batch-iterations", type=int, default=5)
    add("--n-sweep-signals", type=int, default=50_000, help="for K-SVD and its approximation")
    add("--n-sweep-iterations", type=int, default=6)
    add("--n-nonzero", type=int, default=5, help="atoms a patch, likewise")
    add("--n-rounds", type=int, default=5, help="of what takes little time")
    add("--cpu", action="store_true", help="processor time, for one thread on a busy machine")
    add("--seed", type=int, default=0)
    add("--quick", action="store_true", help="tiny, to see that it runs")
    add("--json", metavar="FILE", help="write the rows there")
    add("--output", metavar="FILE", help="write what is printed there, too")
    return options


def quick(options):
    """Sizes with which everything takes seconds."""
    options.n_signals, options.n_held_out, options.n_components = 600, 100, 32
    options.n_batch_signals = options.n_sweep_signals = 200
    options.batch_size, options.n_steps, options.n_rounds = 64, 20, 1
    options.n_batch_iterations = options.n_sweep_iterations = options.n_nonzero = 2


def rows_of(options, patches, start, clock):
    """All rows, as they are ready."""
    names = [name for name in options.peers if find_spec(PEERS[name][0]) is not None]
    for dtype in options.dtype:
        signals = patches.astype(dtype)
        held_out = signals[options.n_signals :]
        X = np.ascontiguousarray(signals[: options.n_signals])
        start = np.ascontiguousarray(start, dtype=dtype)
        for n_threads in options.n_threads:
            setup = learners.Setup(X, start, options.alpha, options.batch_size, n_threads)
            with threadpool_limits(n_threads):
                warm_up(setup, options)
                if "online" in options.tasks:
                    with_threads = [name for name in names if name == "SPAMS" or n_threads == 1]
                    yield from online_rows(setup, held_out, with_threads, options, clock)
                if "batch" in options.tasks and n_threads == 1:
                    yield batch_row(setup, options, clock)
                if "sweep" in options.tasks and find_spec("dictlearn") is not None:
                    for task in SWEEPS:
                        yield sweep_row(task, setup, options, clock)


def warm_up(setup, options):
    """Compile everything of ours before anything is timed."""
    few = setup.part(200)
    learners.ours(few, (1,), time.perf_counter)
    learners.our_batch_learning(few, 1)
    for update, _, _ in SWEEPS.values():
        learners.our_sweeps(few, 1, update, options.n_nonzero)


def main(arguments=None):
    """Run and print; returns what is written to JSON."""
    options = parser().parse_args(arguments)
    if options.quick:
        quick(options)
    patches, start, source = load_problem(
        options.n_signals + options.n_held_out,
        options.n_components,
        side=8,
        dictionary="data",
        folder=options.data,
        seed=options.seed,
    )
    patches = np.random.default_rng(options.seed).permutation(unit_lengths(patches))
    clock = time.process_time if options.cpu else time.perf_counter
    machine = environment()
    begin = time.perf_counter()
    lines = [
        f"{machine['processor']}, {machine['usable_cores']} cores; {', '.join(machine['blas'])}",
        ", ".join(f"{name} {version}" for name, version in machine["versions"].items()),
        f"{options.n_signals} patches ({source}) of unit length, {len(start)} atoms, alpha "
        f"{options.alpha}, batches of {options.batch_size}; {options.n_held_out} held out.",
        f"batch: {options.n_batch_signals} patches; AK-SVD, K-SVD: {options.n_sweep_signals} "
        f"patches, {options.n_nonzero} atoms a patch, seconds an iteration.",
        f"{'Processor' if options.cpu else 'Wall'} time, median of {options.n_rounds} rounds of "
        "what takes little; the rest once.",
        "",
        line_of(COLUMNS),
    ]
    print("\n".join(lines))
    rows = []
    for entry in rows_of(options, patches, start, clock):
        rows.append(entry)
        lines.append(formatted(entry))
        print(lines[-1], flush=True)
    lines.append(f"\nAll in {time.perf_counter() - begin:.0f} s.")
    print(lines[-1])
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    report = {"environment": machine, "options": vars(options), "rows": rows}
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
    return report


if __name__ == "__main__":
    main()
