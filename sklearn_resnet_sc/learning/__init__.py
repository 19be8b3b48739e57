"""Dictionaries from signals."""

from ._dictionary_learning import DictionaryLearning
from ._functions import dict_learning, dict_learning_online
from ._mini_batch import MiniBatchDictionaryLearning
from ._residual_learning import ResidualDictionaryLearning
from ._shortcuts import dct_dictionary

__all__ = [
    "DictionaryLearning",
    "MiniBatchDictionaryLearning",
    "ResidualDictionaryLearning",
    "dct_dictionary",
    "dict_learning",
    "dict_learning_online",
]
