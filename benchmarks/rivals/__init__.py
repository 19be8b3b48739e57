"""One file a rival. Each has ``name``, ``note``, and four functions.

``installed()`` tells whether it can be used here.
``supports(task)`` tells whether it computes what the task asks for.
``limit(task)`` is the largest number of signals it is given (``None``: all of them); times are
compared per signal.
``prepare(task, X, dictionary, n_threads)`` does what need not be timed (layout, precision) and
returns a function without arguments, the one that is timed. Its result is something that
``codes(result)`` turns into a CSR matrix with a signal a row, or ``None`` for the floor.
"""

from . import (
    celer,
    dictlearn,
    gemm,
    gemm_allocating,
    ours,
    ours_fista,
    ours_lasso_cd,
    scikit_learn,
    scikit_learn_cd,
    scikit_learn_processes,
    skglm,
    spams,
    torch_fista,
)

ALL = {
    rival.name: rival
    for rival in (
        gemm,
        gemm_allocating,
        ours,
        ours_lasso_cd,
        ours_fista,
        spams,
        dictlearn,
        scikit_learn,
        scikit_learn_cd,
        scikit_learn_processes,
        celer,
        skglm,
        torch_fista,
    )
}
