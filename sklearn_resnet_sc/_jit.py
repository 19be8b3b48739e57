"""The one decorator of the compiled kernels."""

from numba import njit


def kernel(function=None, **options):
    """Compile a kernel that releases the GIL and is cached on disk where that is possible.

    Numba refuses to decorate a function for which no cache folder can be
    written (a read-only installation without a home); such a kernel is
    compiled in memory instead. ``contract`` lets the compiler use fused
    multiply-add, which is faster and no less accurate; no other liberty with
    floating point is taken.
    """
    if function is None:
        return lambda wrapped: kernel(wrapped, **options)
    options = {"nogil": True, "fastmath": {"contract"}, "error_model": "numpy", **options}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:
        return njit(cache=False, **options)(function)
