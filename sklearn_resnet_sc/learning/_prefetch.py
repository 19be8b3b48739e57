"""Signals asked for before they are read: those of an atom lie far apart in memory."""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .._jit import kernel

_AHEAD = 16  # signals on their way at a time: the time of as many inner products hides the wait
_LINE = 64  # bytes that come at a time
_MOST_LINES = 16  # of a signal; the processor sees by itself how a long one goes on


@intrinsic
def _prefetch(typingctx, vector, index):
    """Bring an entry near, without waiting for it; no result depends on this."""

    def generate(context, builder, signature, arguments):
        struct = context.make_array(signature.args[0])(context, builder, arguments[0])
        entry = cgutils.get_item_pointer(
            context, builder, signature.args[0], struct, arguments[1:], wraparound=False
        )
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        prefetch = builder.module.declare_intrinsic(
            "llvm.prefetch",
            [pointer],
            ir.FunctionType(ir.VoidType(), [pointer, number, number, number]),
        )
        # To read, to be kept in all caches, data.
        options = number(0), number(3), number(1)
        builder.call(prefetch, [builder.bitcast(entry, pointer), *options])
        return context.get_dummy_value()

    return types.void(vector, types.intp), generate


@kernel(counts_references=False)
def prefetch_signal(X, signals, e):
    """Ask for the signal that is to be read some steps after the e-th of a list."""
    if e + _AHEAD < signals.size:
        row = signals[e + _AHEAD]
        step = _LINE // X.itemsize
        for feature in range(0, min(X.shape[1], _MOST_LINES * step), step):
            _prefetch(X[row], feature)


@kernel(counts_references=False)
def prefetch_code(pointers, indices, values, signals, e):
    """The same of the code of a signal."""
    if e + _AHEAD < signals.size:
        entry = pointers[signals[e + _AHEAD]]
        _prefetch(indices, entry)
        _prefetch(values, entry)
