"""Codes of signals in a dictionary that is given."""

from ._coder import SparseCoder, SparseCodingMixin
from ._diagnostics import CodingDiagnostics
from ._encode import code_signals as code_signals  # for floors above, not for users
from ._encode import sparse_encode
from ._lasso_path import alpha_max, lasso_path
from ._records import Status

__all__ = [
    "CodingDiagnostics",
    "SparseCoder",
    "SparseCodingMixin",
    "Status",
    "alpha_max",
    "lasso_path",
    "sparse_encode",
]
