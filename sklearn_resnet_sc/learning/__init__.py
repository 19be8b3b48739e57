"""Dictionaries from signals."""

from ._residual_learning import ResidualDictionaryLearning
from ._shortcuts import dct_dictionary

__all__ = ["ResidualDictionaryLearning", "dct_dictionary"]
