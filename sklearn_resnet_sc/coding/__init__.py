"""Codes of signals in a dictionary that is given."""

from ._coder import SparseCoder, SparseCodingMixin
from ._diagnostics import CodingDiagnostics
from ._encode import sparse_encode
from ._records import Status

__all__ = ["CodingDiagnostics", "SparseCoder", "SparseCodingMixin", "Status", "sparse_encode"]
