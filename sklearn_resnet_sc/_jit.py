"""The one decorator of the compiled kernels."""

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
        return njit(cache=True, **options)(function)
    except RuntimeError:
        return njit(cache=False, **options)(function)
