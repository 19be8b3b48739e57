"""One file a rival. Each has ``name``, ``note``, and four functions.

``installed()`` tells whether it can be used here.
``supports(task)`` tells whether it computes what the task asks for.
``limit(task)`` is the largest number of signals it is given (``None``: all of them); times are
compared per signal.
``prepare(task, X, dictionary, n_threads)`` does what need not be timed (layout, precision) and
returns a function without arguments, the one that is timed. Its result is something that
``codes(result)`` turns into a CSR matrix with a signal a row, or ``None`` for the floor.
"""

from . import dictlearn, gemm, gemm_allocating, ours, scikit_learn, scikit_learn_processes, spams

ALL = {
    rival.name: rival
    for rival in (
        gemm,
        gemm_allocating,
        ours,
        spams,
        dictlearn,
        scikit_learn,
        scikit_learn_processes,
    )
}
