"""``python -m benchmarks.learning [options]``: dictionary learning beside others, in one run.

Everybody starts from the same atoms and sees the same patches of unit length in batches of
the same size. What counts is the time until the objective ``1/2 ||x - a C||^2 + alpha ||a||_1``,
a mean over patches that nobody has learned from, is as low as another one got it. It is computed
for all alike, with codes by coordinate descent to a duality gap of 1e-9.
"""

import argparse
import contextlib
import json
import time
from importlib.util import find_spec
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits

from .report import environment
from .tasks import load_problem

STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 400, 700, 1000, 2000, 3000)


class Recorder:
    """Keeps the dictionary at some steps, with the time until there."""

    def __init__(self, steps, clock):
        self.steps, self.clock = set(steps), clock
        self.start, self.points, self.n_steps = clock(), [], 0

    def __call__(self, dictionary):
        self.n_steps += 1
        if self.n_steps in self.steps:
            # A copy takes microseconds where a step takes milliseconds.
            self.points.append((self.n_steps, self.clock() - self.start, dictionary.copy()))


def _n_passes(setup, steps):
    return -(-max(steps) // -(-len(setup["X"]) // setup["batch_size"]))


def _learner_options(setup, steps):
    return {
        "n_components": len(setup["start"]),
        "alpha": setup["alpha"],
        "batch_size": setup["batch_size"],
        "dict_init": setup["start"],
        "max_iter": _n_passes(setup, steps),
        "tol": 0.0,
        "max_no_improvement": None,
        "random_state": 0,
    }


class Stop(Exception):
    """Enough steps."""


def ours(setup, steps, clock):
    """sklearn_resnet_sc.MiniBatchDictionaryLearning with its defaults."""
    from sklearn_resnet_sc import MiniBatchDictionaryLearning

    recorder = Recorder(steps, clock)

    def callback(progress):
        recorder(progress["dictionary"].components)
        if recorder.n_steps == max(steps):
            raise Stop

    learner = MiniBatchDictionaryLearning(
        n_jobs=setup["n_threads"], callback=callback, **_learner_options(setup, steps)
    )
    with contextlib.suppress(Stop):
        learner.fit(setup["X"])
    return recorder.points


def scikit_learn(setup, steps, clock, fit_algorithm="lars"):
    """sklearn.decomposition.MiniBatchDictionaryLearning with its defaults, n_jobs too."""
    from sklearn.decomposition import MiniBatchDictionaryLearning

    recorder = Recorder(steps, clock)

    def callback(state):
        recorder(state["dictionary"])
        if recorder.n_steps == max(steps):
            raise Stop

    learner = MiniBatchDictionaryLearning(
        fit_algorithm=fit_algorithm, callback=callback, **_learner_options(setup, steps)
    )
    with contextlib.suppress(Stop):
        learner.fit(setup["X"])
    return recorder.points


def scikit_learn_cd(setup, steps, clock):
    """The same by coordinate descent."""
    return scikit_learn(setup, steps, clock, "cd")


def spams(setup, steps, clock):
    """spams.trainDL with its defaults; it reports nothing on the way, so every step is a run."""
    from spams import trainDL

    signals = np.asfortranarray(setup["X"].T)
    start = np.asfortranarray(setup["start"].T)
    points = []
    for n_steps in steps:
        begin = clock()
        atoms = trainDL(
            signals,
            D=start,
            lambda1=setup["alpha"],
            batchsize=setup["batch_size"],
            iter=n_steps,
            numThreads=setup["n_threads"],
            mode=2,
            verbose=False,
        )
        points.append((n_steps, clock() - begin, np.ascontiguousarray(atoms.T)))
    return points


RIVALS = {
    "ours": (ours, "sklearn_resnet_sc"),
    "SPAMS": (spams, "spams"),
    "scikit-learn lars": (scikit_learn, "sklearn"),
    "scikit-learn cd": (scikit_learn_cd, "sklearn"),
}


def objective(signals, atoms, alpha):
    """Mean penalised error of signals in a dictionary, in float64."""
    from sklearn_resnet_sc import sparse_encode

    signals, atoms = signals.astype(np.float64), atoms.astype(np.float64)
    code = sparse_encode(signals, atoms, algorithm="lasso_cd", alpha=alpha, gap_tol=1e-9)
    error = np.sum((signals - code @ atoms) ** 2)
    return float((0.5 * error + alpha * np.abs(code).sum()) / len(signals))


def time_to_reach(curve, level):
    """Seconds at which a curve of (step, seconds, objective) gets down to a level; None if never.

    Between two points the objective is taken to be a straight line in the logarithm of time.
    """
    before = None
    for _, seconds, value in curve:
        if value <= level:
            if before is None:
                return seconds
            share = (before[1] - level) / (before[1] - value)
            return float(np.exp((1 - share) * np.log(before[0]) + share * np.log(seconds)))
        before = seconds, value
    return None


def batch_learning(setup, n_signals, n_iter, clock):
    """Seconds and objective on the training signals of `DictionaryLearning`, theirs and ours."""
    import sklearn.decomposition

    import sklearn_resnet_sc

    X, start = setup["X"][:n_signals], setup["start"]
    options = {
        "n_components": len(start),
        "alpha": setup["alpha"],
        "max_iter": n_iter,
        "tol": 0.0,
        "dict_init": start,
        "code_init": np.zeros((len(X), len(start)), X.dtype),
    }
    results = {}
    for name, module in (("ours", sklearn_resnet_sc), ("scikit-learn", sklearn.decomposition)):
        jobs = {"n_jobs": setup["n_threads"]} if name == "ours" else {}
        begin = clock()
        learner = module.DictionaryLearning(**options, **jobs).fit(X)
        results[name] = clock() - begin, objective(X, learner.components_, setup["alpha"])
    return results


def parser():
    """The options, all with the values that the documentation's table was made with."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=__doc__)
    add = options.add_argument
    add("--n-signals", type=int, default=50_000)
    add("--n-held-out", type=int, default=5_000)
    add("--n-components", type=int, default=256)
    add("--alpha", type=float, default=0.12)
    add("--batch-size", type=int, default=512)
    add("--dtype", default="float64", choices=["float64", "float32"])
    add("--data", metavar="DIR", help="folder with images.npz; else SKLEARN_RESNET_SC_DATA")
    add("--rivals", nargs="+", default=[*RIVALS], choices=[*RIVALS])
    add("--n-steps", type=int, default=1000, help="most steps; scikit-learn's cd a fifth")
    add("--lars-steps", type=int, default=20, help="steps of scikit-learn with lars")
    add("--batch-signals", type=int, default=5_000, help="for DictionaryLearning; 0: leave it out")
    add("--batch-iterations", type=int, default=5)
    add("--n-threads", type=int, default=1)
    add("--n-rounds", type=int, default=3)
    add("--cpu", action="store_true", help="processor time, for one thread on a busy machine")
    add("--seed", type=int, default=0)
    add("--json", metavar="FILE", help="write all times there")
    return options


def main(arguments=None):
    """Run and print; returns what is written to JSON."""
    arguments = parser().parse_args(arguments)
    patches, start, source = load_problem(
        arguments.n_signals + arguments.n_held_out,
        arguments.n_components,
        side=8,
        dictionary="data",
        folder=arguments.data,
        seed=arguments.seed,
    )
    patches = patches / np.linalg.norm(patches, axis=1, keepdims=True)
    patches = np.random.default_rng(arguments.seed).permutation(patches).astype(arguments.dtype)
    held_out = patches[arguments.n_signals :]
    setup = {
        "X": np.ascontiguousarray(patches[: arguments.n_signals]),
        "start": np.ascontiguousarray(start, dtype=arguments.dtype),
        "alpha": arguments.alpha,
        "batch_size": arguments.batch_size,
        "n_threads": arguments.n_threads,
    }
    clock = time.process_time if arguments.cpu else time.perf_counter
    most = {"scikit-learn lars": arguments.lars_steps, "scikit-learn cd": arguments.n_steps // 5}
    names = [name for name in arguments.rivals if find_spec(RIVALS[name][1]) is not None]
    runs = {name: [] for name in names}
    with threadpool_limits(arguments.n_threads):
        RIVALS["ours"][0](setup, (1,), clock)  # compiled before anything is timed
        for turn in range(arguments.n_rounds):
            for place in range(len(names)):
                name = names[(turn + place) % len(names)]
                steps = [n for n in STEPS if n <= most.get(name, arguments.n_steps)]
                runs[name].append(RIVALS[name][0](setup, steps, clock))
        curves = {name: _curve(rounds, held_out, arguments.alpha) for name, rounds in runs.items()}
        batch = None
        if arguments.batch_signals:
            batch = batch_learning(
                setup, arguments.batch_signals, arguments.batch_iterations, clock
            )
    print(
        f"{environment()['processor']}; {arguments.n_signals} patches ({source}), {len(start)} "
        f"atoms, alpha {arguments.alpha}, batches of {arguments.batch_size}, {arguments.dtype}, "
        f"{arguments.n_threads} threads; median of {arguments.n_rounds} rounds, "
        f"{'processor' if arguments.cpu else 'wall'} time"
    )
    for name, curve in curves.items():
        print(f"\n{name}\n  steps   seconds  objective  ours there after  ratio")
        for n_steps, seconds, value in curve:
            mine = time_to_reach(curves["ours"], value) if "ours" in curves else None
            there = "-" if mine is None else f"{mine:.3f}"
            ratio = "-" if mine is None else f"{seconds / mine:.1f}"
            print(f"  {n_steps:5d}  {seconds:8.3f}  {value:9.6f}  {there:>16}  {ratio:>5}")
    if batch is not None:
        ratio = batch["scikit-learn"][0] / batch["ours"][0]
        print(
            f"\nDictionaryLearning, {arguments.batch_signals} patches, "
            f"{arguments.batch_iterations} iterations: ours {batch['ours'][0]:.3f} s "
            f"({batch['ours'][1]:.6f}), scikit-learn {batch['scikit-learn'][0]:.3f} s "
            f"({batch['scikit-learn'][1]:.6f}), ratio {ratio:.1f}"
        )
    report = {
        "environment": environment(),
        "options": vars(arguments),
        "curves": curves,
        "batch": batch,
    }
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
    return report


def _curve(rounds, held_out, alpha):
    """Steps, median seconds and objective; dictionaries are those of the first round."""
    curve = []
    for i, (n_steps, _, atoms) in enumerate(rounds[0]):
        seconds = median(points[i][1] for points in rounds)
        curve.append((n_steps, seconds, objective(held_out, atoms, alpha)))
    return curve


if __name__ == "__main__":
    main()
