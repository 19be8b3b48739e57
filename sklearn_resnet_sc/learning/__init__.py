"""Dictionaries from signals."""

from ._bounded import clip_singular_values as clip_singular_values  # for floors above
from ._dictionary_learning import DictionaryLearning
from ._forgetting import Forgetting
from ._functions import dict_learning, dict_learning_online
from ._matching import AtomMatching, match_atoms
from ._mini_batch import MiniBatchDictionaryLearning
from ._rate_distortion import RateDistortion, rate_distortion
from ._residual_learning import ResidualDictionaryLearning
from ._shortcuts import dct_dictionary

__all__ = [
    "AtomMatching",
    "DictionaryLearning",
    "Forgetting",
    "MiniBatchDictionaryLearning",
    "RateDistortion",
    "ResidualDictionaryLearning",
    "dct_dictionary",
    "dict_learning",
    "dict_learning_online",
    "match_atoms",
    "rate_distortion",
]
