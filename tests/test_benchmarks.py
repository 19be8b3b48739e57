"""The benchmark measures what it says: its checks refuse other codes, its runner runs."""

import json

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.decomposition import sparse_encode
from threadpoolctl import threadpool_info

from benchmarks import __main__ as command
from benchmarks import learners, learning
from benchmarks.checks import check_codes, n_different_supports, replay
from benchmarks.rivals import ALL
from benchmarks.runner import Timing, run_task
from benchmarks.tasks import Task, alpha_at_density, load_problem, unit_lengths


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    dictionary = rng.standard_normal((24, 12))
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    return rng.standard_normal((40, 12)), dictionary


def brute_force(X, dictionary, pursuit, count):
    """Greedy codes by the definition of the pursuit, one lstsq a candidate."""
    code = np.zeros((len(X), len(dictionary)))
    for row, signal in zip(code, X, strict=True):
        support, values, residual = [], None, signal
        for _ in range(count):
            if pursuit == "omp":
                support.append(int(np.argmax(np.abs(dictionary @ residual))))
            else:
                errors = [
                    np.linalg.norm(signal - fitted(signal, dictionary, [*support, j])[1])
                    for j in range(len(dictionary))
                ]
                support.append(int(np.argmin(errors)))
            values, approximation = fitted(signal, dictionary, support)
            residual = signal - approximation
        row[support] = values
    return csr_matrix(code)


def fitted(signal, dictionary, support):
    values = np.linalg.lstsq(dictionary[support].T, signal, rcond=None)[0]
    return values, values @ dictionary[support]


@pytest.mark.parametrize("pursuit", ["omp", "ols"])
def test_checks_take_the_right_codes_and_refuse_others(pursuit, problem):
    X, dictionary = problem
    task = Task(pursuit, "float64", 4)
    code = brute_force(X, dictionary, pursuit, 4)
    check_codes(task, X, dictionary, code)
    other = brute_force(X, dictionary, "ols" if pursuit == "omp" else "omp", 4)
    assert n_different_supports(code, other) > 0
    with pytest.raises(ValueError, match="from the best one"):
        check_codes(task, X, dictionary, other)
    with pytest.raises(ValueError, match="least squares"):
        check_codes(task, X, dictionary, code * 1.001)
    with pytest.raises(ValueError, match="has only 4 atoms"):
        check_codes(Task(pursuit, "float64", 5), X, dictionary, code)
    with pytest.raises(ValueError, match="has 4 atoms"):
        check_codes(Task(pursuit, "float64", 3), X, dictionary, code)


def test_checks_of_a_tolerance(problem):
    X, dictionary = problem
    code = brute_force(X, dictionary, "omp", 4)
    norms = np.array(
        [
            replay(x, dictionary, np.flatnonzero(row), "omp")[1]
            for x, row in zip(X, code.toarray(), strict=True)
        ]
    )
    # A single signal: just what four atoms reach, less than that, and more than three leave.
    one = X[:1], dictionary, code[:1]
    check_codes(Task("omp", "float64", 8, norms[0, 4] * 1.01), *one)
    with pytest.raises(ValueError, match="stopped above the tolerance"):
        check_codes(Task("omp", "float64", 8, norms[0, 4] * 0.99), *one)
    with pytest.raises(ValueError, match="went on below the tolerance"):
        check_codes(Task("omp", "float64", 8, norms[0, 3] * 1.01), *one)


def test_a_rival_that_computes_something_else_is_not_timed(problem):
    class Wrong:
        name = "wrong"

        @staticmethod
        def installed():
            return True

        @staticmethod
        def supports(task):
            return True

        @staticmethod
        def limit(task):
            return None

        @staticmethod
        def prepare(task, X, dictionary, n_threads):
            return lambda: sparse_encode(X, dictionary, algorithm="threshold", alpha=0.1)

        codes = staticmethod(csr_matrix)

    with pytest.raises(ValueError, match="omp s=3 float64"):
        run_task(
            Task("omp", "float64", 3), *problem, [Wrong], n_threads=1, n_rounds=1, n_checked=10
        )


def test_ratios_are_taken_within_a_round():
    # The machine is ten times slower in one round, for both alike; the ratio does not see it.
    ours = Timing("ours", 100, 0.0, seconds=[1.0, 10.0, 1.0])
    other = Timing("other", 50, 0.0, seconds=[1.0, 10.0, 1.5])
    assert other.ratio(ours) == 2.0
    assert ours.ratio(ours) == 1.0
    assert other.per_signal == pytest.approx(1e6 * 1.5 / 50)


@pytest.mark.parametrize("name", ALL)
def test_each_rival_computes_what_it_says(name):
    rival = ALL[name]
    if not rival.installed():
        pytest.skip(f"{name} is not installed")
    X, dictionary, _ = load_problem(60, 100, side=8, dictionary="dct", folder=None, seed=0)
    threads = [library["num_threads"] for library in threadpool_info()]
    for task in (
        Task("omp", "float64", 3),
        Task("ols", "float32", 3),
        Task("ols", "float64", 12, 600.0),
        Task("omp", "float32", 12, 600.0),
    ):
        if rival.supports(task):
            (timing,) = run_task(
                task, X, dictionary, [rival], n_threads=1, n_rounds=2, n_checked=60
            )
            assert len(timing.seconds) == 2
            assert timing.spread[0] <= timing.per_signal <= timing.spread[1]
    assert threads == [library["num_threads"] for library in threadpool_info()][: len(threads)]


@pytest.mark.parametrize("name", ALL)
def test_each_rival_solves_the_lasso(name):
    rival = ALL[name]
    if not rival.installed():
        pytest.skip(f"{name} is not installed")
    X, dictionary, _ = load_problem(40, 100, side=8, dictionary="dct", folder=None, seed=0)
    X = unit_lengths(X)
    alpha = alpha_at_density(X, dictionary, 0.05)
    for task in (
        Task("lasso", "float64", alpha=alpha),
        Task("lasso", "float32", alpha=alpha),
        Task("lasso", "float64", tol=0.2),
    ):
        if rival.supports(task):
            run_task(task, X, dictionary, [rival], n_threads=1, n_rounds=1, n_checked=40)


def test_command(tmp_path, capsys):
    path = tmp_path / "times.json"
    report = command.main(
        f"--n-signals 50 --n-components 64 --n-nonzero 3 --dictionary data --n-rounds 1 "
        f"--n-checked 50 --rivals GEMM ours --json {path}".split()
    )
    assert json.loads(path.read_text())["tasks"] == report["tasks"]
    # In two precisions: two pursuits with a count and a tolerance, and three lassos.
    assert len(report["tasks"]) == 2 * (2 * 2 + 3)
    printed = capsys.readouterr().out
    assert "omp s=3 float64" in printed
    assert "ours" in printed
    with pytest.raises(SystemExit):
        command.main(["cosamp"])


def test_learners_take_the_steps_that_are_timed():
    # After one step from the same atoms, and after none, objectives are those of the definition.
    rng = np.random.default_rng(0)
    X, start = (
        unit_lengths(rng.standard_normal((60, 8))),
        unit_lengths(rng.standard_normal((12, 8))),
    )
    setup = learners.Setup(X, start, 0.3, 20)
    ticks = iter(range(1000))
    for run in (learners.ours, learners.scikit_learn_cd):
        points = run(setup, (1, 4, 7), lambda: next(ticks))
        assert list(points) == [1, 4, 7]  # the fourth begins the second pass
        assert all(seconds > 0 and atoms.shape == (12, 8) for seconds, atoms in points.values())
    code = sparse_encode(X, start, algorithm="lasso_cd", alpha=0.3, max_iter=10_000)
    expected = 0.5 * np.sum((X - code @ start) ** 2) + 0.3 * np.abs(code).sum()
    assert learners.penalised_error(X, start, 0.3) == pytest.approx(expected / 60, rel=1e-3)
    code = brute_force(X, start, "omp", 2).toarray()
    expected = 0.5 * np.sum((X - code @ start) ** 2) / 60
    assert learners.greedy_error(X, start, 2) == pytest.approx(expected)


def test_the_first_point_as_low_as_another_objective():
    points = [(1, 0.1, 3.0), (2, 0.2, 2.0), (3, 0.3, 2.5), (4, 0.4, 1.0)]
    assert learning.first_as_low(points, 2.5) == (0.2, 2.0)
    assert learning.first_as_low(points, 0.5) is None


def test_command_of_learning(tmp_path, capsys):
    table, data = tmp_path / "table.txt", tmp_path / "rows.json"
    options = ["--quick", "--dtype", "float64", "--n-threads", "1", "--tasks", "online", "batch"]
    options += ["--peers", "scikit-learn cd", "--output", str(table), "--json", str(data)]
    report = learning.main(options)
    assert capsys.readouterr().out == table.read_text()
    assert json.loads(data.read_text())["rows"] == report["rows"]
    assert [row["steps"] for row in report["rows"]] == [1, 2, 5, 20, 2]
    for row in report["rows"]:
        if row["our objective"] is not None:
            assert row["our objective"] <= row["objective"] * (1 + 1e-6)
            assert row["ratio"] == row["seconds"] / row["our seconds"]
