"""The one decorator of the compiled kernels."""

import os
from functools import cache

from numba import njit


def kernel(function=None, *, counts_references=True, **options):
    """Compile a kernel that releases the GIL and is cached on disk where that is possible.

    Numba refuses to decorate a function for which no cache folder can be
    written (a read-only installation without a home); such a kernel is
    compiled in memory instead. ``contract`` lets the compiler use fused
    multiply-add, which is faster and no less accurate; no other liberty with
    floating point is taken.

    With ``counts_references=False`` the kernel takes the arrays that it is
    given, and their parts, on loan: no atomic counter is touched, of which
    there are two for every array passed. For helpers that are called from
    other kernels many times a signal; they may neither create nor return
    arrays. A helper that takes a dozen arrays costs 25 ns this way, not 165.
    """
    if function is None:
        return lambda wrapped: kernel(wrapped, counts_references=counts_references, **options)
    if not counts_references:
        options["_nrt"] = False
    options = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy", **options}
    try:
        compiled = njit(cache=True, **options)(function)
    except RuntimeError:
        return njit(cache=False, **options)(function)
    _stamp(compiled, os.path.dirname(function.__code__.co_filename))
    return compiled


def _stamp(compiled, folder):
    """Let a cached kernel expire when any file beside its own changes.

    Numba looks at the kernel's own file alone, and a kernel holds the helpers
    that it calls: after an upgrade, or an edit of a helper, it would run the
    helper's old code.
    """
    cache_file = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(cache_file, "_source_stamp"):
        folders = folder, os.path.dirname(__file__)
        cache_file._source_stamp = (cache_file._source_stamp, *map(_state_of, folders))


@cache
def _state_of(folder):
    try:
        with os.scandir(folder) as entries:
            files = [entry for entry in entries if entry.name.endswith(".py")]
            return tuple(sorted((f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in files))
    except OSError:  # a package inside a zip file
        return ()
