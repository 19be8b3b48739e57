"""Coding under threads, forks and workers: the bits of one thread, and no limit left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from textwrap import dedent

import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_resnet_sc import sparse_encode
from sklearn_resnet_sc._parallel import run_blocks, single_threaded_blas

from .oracles import gaussian_problem

PURSUITS = ["omp", "ols", "mp", "cosamp", "hard_threshold"]


def job(seed, n_jobs=None, n_samples=400):
    """A coding problem of its own, and its codes."""
    X, dictionary = gaussian_problem(n_samples, 256, 24, seed)
    return sparse_encode(
        X,
        dictionary,
        algorithm=PURSUITS[seed % len(PURSUITS)],
        n_nonzero_coefs=3,
        n_jobs=n_jobs,
        sparse_output=seed % 2 == 0,
    )


def bits(code):
    """Something to compare by: the same bits or not."""
    if not isinstance(code, np.ndarray):
        code = code.toarray()
    return code.tobytes()


PREAMBLE = """
    import numpy as np
    from sklearn_resnet_sc import sparse_encode

    def job(seed, n_jobs):
        rng = np.random.default_rng(seed)
        dictionary = rng.standard_normal((256, 24))
        X = rng.standard_normal((600, 24))
        return sparse_encode(
            X, dictionary, algorithm="omp", n_nonzero_coefs=3, n_jobs=n_jobs
        ).tobytes()
"""


def run_python(code, preamble=PREAMBLE):
    """Start a script in an interpreter of its own, with a BLAS of two threads."""
    return subprocess.Popen(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", dedent(preamble) + dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "2"},
    )


def finish(process, timeout=120):
    """Status and what was printed."""
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"no end after {timeout} s: {process.communicate()}") from None
    return process.returncode, output, errors


def blas_limits():
    return {
        info["filepath"]: info["num_threads"]
        for info in threadpool_info()
        if info["user_api"] == "blas"
    }


@pytest.fixture(autouse=True)
def blas_limits_are_restored():
    # More than one thread, or a limit that stayed would not be seen.
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_limits()
        assert 2 in before.values()
        yield
        assert blas_limits() == before


def test_sixteen_threads_at_once():
    expected = [bits(job(seed)) for seed in range(16)]
    start = threading.Barrier(16)

    def work(seed):
        start.wait()
        return [bits(job(seed, n_jobs=1 + (seed + turn) % 3)) for turn in range(6)]

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(work, range(16)))
    assert found == [[one] * 6 for one in expected]


def test_threads_share_one_dictionary():
    X, dictionary = gaussian_problem(1600, 128, 24, seed=1)
    expected = sparse_encode(X, dictionary, algorithm="omp", n_nonzero_coefs=3)
    parts = [slice(i, i + 100) for i in range(0, 1600, 100)]

    def work(rows):
        return sparse_encode(X[rows], dictionary, algorithm="omp", n_nonzero_coefs=3, n_jobs=2)

    with ThreadPoolExecutor(16) as pool:
        code = np.vstack(list(pool.map(work, parts)))
    np.testing.assert_allclose(code, expected, atol=1e-12)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_joblib_workers(backend):
    expected = [bits(job(seed)) for seed in range(5)]
    with parallel_config(backend=backend, n_jobs=2):
        found = Parallel()(delayed(job)(seed) for seed in range(5))
        nested = Parallel()(delayed(job)(seed, n_jobs=2) for seed in range(5))
    assert [bits(code) for code in found] == expected
    assert [bits(code) for code in nested] == expected


def test_joblib_context_sets_the_number_of_threads():
    seen = []

    def make_worker():
        seen.append(threading.current_thread().name)
        return lambda number: time.sleep(0.01)

    with parallel_config(backend="threading", n_jobs=3):
        run_blocks(make_worker, 12)
    assert len(seen) == 3
    seen.clear()
    run_blocks(make_worker, 12)
    assert len(seen) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_children():
    # Forked while other threads are coding: the children find locks and limits in any state.
    code = """
        import multiprocessing
        import threading
        from threadpoolctl import threadpool_info

        def child(seed):
            found = job(seed, 2)
            limits = {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}
            return found, limits

        if __name__ == "__main__":
            expected = [job(seed, 1) for seed in range(6)]
            limits = {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}
            stop = threading.Event()
            wrong = []

            def keep_coding():
                while not stop.is_set():
                    if job(0, 2) != expected[0]:
                        wrong.append(0)

            others = [threading.Thread(target=keep_coding, daemon=True) for _ in range(3)]
            for thread in others:
                thread.start()
            context = multiprocessing.get_context("fork")
            for _ in range(4):
                with context.Pool(3) as pool:
                    found = pool.map(child, range(6), chunksize=1)
                assert [one for one, _ in found] == expected
                assert all(child_limits == limits for _, child_limits in found), found
            stop.set()
            for thread in others:
                thread.join()
            assert not wrong
            print("right")
    """
    status, output, errors = finish(run_python(code))
    assert (status, output.strip()) == (0, "right"), errors


class Interrupted(Exception):
    """What a block raises."""


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_exceptions_stop_the_rest(n_jobs):
    done = []

    def make_worker():
        def do_block(number):
            if number == 5:
                raise Interrupted(number)
            time.sleep(0.002)
            done.append(number)

        return do_block

    with pytest.raises(Interrupted, match="5"):
        run_blocks(make_worker, 10_000, n_jobs=n_jobs)
    count = len(done)
    assert count < 1000
    time.sleep(0.02)
    assert len(done) == count  # no thread goes on

    def fail():
        raise Interrupted("no scratch")

    with pytest.raises(Interrupted, match="no scratch"):
        run_blocks(fail, 3, n_jobs=n_jobs)


def test_limits_after_exceptions_in_many_threads():
    X, dictionary = gaussian_problem(3000, 64, 24, seed=2)
    broken = X.copy()
    broken[2000] = np.nan
    expected = sparse_encode(X, dictionary, algorithm="omp", n_nonzero_coefs=3)

    def work(turn):
        if turn % 2:
            with pytest.raises(ValueError, match="row 2000"):
                sparse_encode(broken, dictionary, algorithm="omp", n_nonzero_coefs=3, n_jobs=2)
            return expected
        return sparse_encode(X, dictionary, algorithm="omp", n_nonzero_coefs=3, n_jobs=2)

    with ThreadPoolExecutor(8) as pool:
        for code in pool.map(work, range(16)):
            np.testing.assert_array_equal(code, expected)


def test_blas_is_held_while_anyone_is_inside():
    before = blas_limits()
    with single_threaded_blas():
        assert set(blas_limits().values()) == {1}
        with single_threaded_blas():
            assert set(blas_limits().values()) == {1}
        assert set(blas_limits().values()) == {1}
    assert blas_limits() == before


def test_a_blas_loaded_later_is_held_too():
    code = """
        from threadpoolctl import threadpool_info
        from sklearn_resnet_sc._parallel import single_threaded_blas

        def limits():
            return {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}

        with single_threaded_blas():
            pass
        import scipy.linalg  # the wheels of SciPy bring a BLAS of their own
        assert 2 in limits()
        with single_threaded_blas():
            assert limits() == {1}
        assert 2 in limits()
        print("held")
    """
    status, output, errors = finish(run_python(code, preamble=""))
    assert (status, output.strip()) == (0, "held"), errors


def test_blas_is_held_in_every_thread():
    # Calls overlap, so that the thread that restores is seldom the one that set the limit.
    def make_worker():
        return lambda number: seen.extend(blas_limits().values())

    def work(turn):
        for _ in range(15):
            run_blocks(make_worker, 3, n_jobs=1 + turn % 3)
            time.sleep(0.0005 * (turn % 5))

    seen = []
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert len(seen) >= 16 * 15 * 3
    assert set(seen) == {1}
    with threadpool_limits(limits=2, user_api="blas"):  # threadpoolctl can still be used
        assert 2 in blas_limits().values()


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
@pytest.mark.parametrize("n_jobs", [1, 3])
def test_interrupted_from_the_keyboard(n_jobs):
    # Ctrl-C during a coding that would take minutes: the interrupt comes out, threads end,
    # limits are restored, and coding goes on working.
    code = f"""
        import signal
        import threading
        from threadpoolctl import threadpool_info

        # Ignored where the tests run in the background, and inherited.
        signal.signal(signal.SIGINT, signal.default_int_handler)

        def limits():
            return [i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"]

        expected, before = job(0, 1), limits()
        rng = np.random.default_rng(0)
        X = np.broadcast_to(rng.standard_normal((1, 256)), (10**8, 256))
        print("coding", flush=True)
        try:
            sparse_encode(
                X,
                rng.standard_normal((512, 256)),
                algorithm="omp",
                n_nonzero_coefs=8,
                n_jobs={n_jobs},
                sparse_output=True,
                check_input=False,
            )
        except KeyboardInterrupt:
            assert threading.active_count() == 1, threading.enumerate()
            assert limits() == before
            assert job(0, {n_jobs}) == expected
            print("interrupted")
    """
    process = run_python(code)
    assert process.stdout.readline().strip() == "coding"
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    status, output, errors = finish(process, timeout=30)
    assert (status, output.strip()) == (0, "interrupted"), errors
