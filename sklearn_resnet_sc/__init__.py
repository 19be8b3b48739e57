"""Sparse coding and dictionary learning, plain and residual, as scikit-learn estimators.

Public names are imported on first use: importing the package loads neither
torch nor matplotlib, and compiles nothing.
"""

import importlib

from ._version import __version__

# The module each public name is found in; the modules themselves are public too.
_HOMES = {
    "DeepCodingSolver": "multilayer",
    "DictionaryLearning": "learning",
    "MiniBatchDictionaryLearning": "learning",
    "MultiLayerSparseCoder": "multilayer",
    "ResidualDictionaryLearning": "learning",
    "SparseCoder": "coding",
    "dict_learning": "learning",
    "dict_learning_online": "learning",
    "match_atoms": "learning",
    "rate_distortion": "learning",
    "sparse_encode": "coding",
}
_FLOORS = ("coding", "datasets", "learning", "multilayer", "plotting", "reproduce", "theory")

__all__ = ["__version__", *_FLOORS, *_HOMES]


def __getattr__(name):
    if name in _HOMES:
        value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
        globals()[name] = value  # the next access finds it without coming here
        return value
    if name in _FLOORS:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
