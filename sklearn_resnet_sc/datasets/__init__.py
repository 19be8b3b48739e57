"""Signals to learn from: patches of real images that installed packages ship, and made ones."""

from ._images import load_sample_images, train_test_images
from ._multilayer import make_multilayer_sparse_signals
from ._patches import extract_patches
from ._synthetic import make_ar1_signals, make_planted_dictionary_signals

__all__ = [
    "extract_patches",
    "load_sample_images",
    "make_ar1_signals",
    "make_multilayer_sparse_signals",
    "make_planted_dictionary_signals",
    "train_test_images",
]
