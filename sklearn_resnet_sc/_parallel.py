"""Blocks of work over threads, with the BLAS held to one thread meanwhile.

This is the only place that starts threads. Kernels and BLAS calls release the
GIL, so threads are enough; they share the dictionary and its Gram matrix, and
nothing is pickled.
"""

import itertools
import os
import sys
import threading
from contextlib import contextmanager, nullcontext

from joblib import effective_n_jobs, parallel_config
from tqdm import tqdm

_lock = threading.Lock()
_holders = 0
_limiter = None
_shared = None  # BLAS libraries whose number of threads is one for the process
_per_thread = None  # those with a number for every thread
_n_modules = 0


def _find_libraries():
    """Look for BLAS libraries, again where modules were imported since: they may bring some."""
    global _shared, _per_thread, _n_modules
    if _n_modules == len(sys.modules):
        return
    from threadpoolctl import ThreadpoolController

    _n_modules = len(sys.modules)
    controller = ThreadpoolController()
    paths = [], []
    for library in controller.lib_controllers:
        if library.user_api == "blas":
            # Before 3.8 threadpoolctl treated every OpenBLAS as one for the process.
            modern = hasattr(library, "clear_controlling_thread")
            paths[modern and library.threading_layer == "openmp"].append(library.filepath)
    _shared, _per_thread = (controller.select(filepath=some) for some in paths)


def _take_control():
    # threadpoolctl 3.8 and later obey only the thread that was first to set a
    # limit, until it lets go; here the thread that sets may not be the one that restores.
    for library in _shared.lib_controllers:
        if hasattr(library, "clear_controlling_thread"):
            library.clear_controlling_thread(force=True)


def _restore_limits():
    global _limiter
    _take_control()
    _limiter.restore_original_limits()
    _limiter = None
    _take_control()  # and let go of it


@contextmanager
def single_threaded_blas():
    """Hold every loaded BLAS at one thread while at least one caller is inside.

    The limit of most libraries is a property of the process. Concurrent
    callers are counted: the first sets the limit, the last restores what was
    there before, whatever happened in between. Where it is a property of a
    thread, it is set and restored in every thread that enters.
    """
    global _holders, _limiter
    with _lock:
        if _holders == 0:
            _find_libraries()
            _take_control()
            _limiter = _shared.limit(limits=1)
        _holders += 1
        per_thread = _per_thread
    try:
        with per_thread.limit(limits=1) if per_thread.lib_controllers else nullcontext():
            yield
    finally:
        with _lock:
            _holders -= 1
            if _holders == 0:
                _restore_limits()


def _forget_parent_threads():
    # A child forked while other threads held the limit has none of those
    # threads: nobody would ever restore it there.
    global _lock, _holders
    _lock = threading.Lock()
    _holders = 0
    if _limiter is not None:
        _restore_limits()


if hasattr(os, "register_at_fork"):
    # OpenBLAS may hang when a fork meets a change of its number of threads.
    os.register_at_fork(
        before=lambda: _lock.acquire(),
        after_in_parent=lambda: _lock.release(),
        after_in_child=_forget_parent_threads,
    )


def _count_threads(n_jobs):
    """How many threads ``n_jobs`` asks for; ``None`` leaves it to joblib's context."""
    if n_jobs is None:
        return effective_n_jobs(None)
    # joblib's own answer is for processes, which a daemonic process must not start.
    with parallel_config(backend="threading"):
        return effective_n_jobs(n_jobs)


def _join(thread, failures):
    # An interrupt that arrives while waiting must still wait for the block in
    # hand: the arrays it writes to belong to the caller.
    while thread.is_alive():
        try:
            thread.join()
        except KeyboardInterrupt as interrupt:
            failures.append(interrupt)


def run_blocks(make_worker, n_blocks, *, n_jobs=None, verbose=0, description=None):
    """Do ``n_blocks`` independent pieces of work on ``n_jobs`` threads.

    Parameters
    ----------
    make_worker : callable
        Called once on each thread; returns a function of a block's number.
        Scratch that a thread may reuse from block to block belongs in its
        closure.
    n_blocks : int
        Number of blocks. Which thread gets which block is not determined, so
        what a block computes must not depend on it.
    n_jobs : int, default=None
        Number of threads, with joblib's meaning: ``None`` is 1 outside of a
        ``joblib.parallel_config``, -1 all processors. The calling thread is
        one of them.
    verbose : int, default=0
        Whether to show a progress bar.
    description : str, default=None
        The words beside the progress bar.

    Raises
    ------
    BaseException
        The first exception raised by any block; blocks not yet begun are
        dropped.
    """
    n_threads = max(1, min(_count_threads(n_jobs), n_blocks))
    numbers = itertools.count()  # next() is atomic: the queue of blocks
    failures = []

    # Not even a disabled bar where none is wanted: tqdm starts a thread, and takes a lock that a
    # child forked meanwhile would wait for forever.
    with tqdm(total=n_blocks, desc=description) if verbose else nullcontext() as bar:

        def work():
            try:
                with single_threaded_blas():
                    do_block = make_worker()
                    while not failures and (number := next(numbers)) < n_blocks:
                        do_block(number)
                        if verbose:
                            bar.update()
            except BaseException as failure:
                failures.append(failure)

        with single_threaded_blas():
            others = []
            try:
                for _ in range(n_threads - 1):
                    thread = threading.Thread(target=work, daemon=True)
                    thread.start()
                    others.append(thread)
                work()
            except BaseException as failure:
                failures.append(failure)
            for thread in others:
                _join(thread, failures)
    if failures:
        raise failures[0]
