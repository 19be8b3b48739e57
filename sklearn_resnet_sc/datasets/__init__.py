"""Signals to learn from: real images that installed packages ship, and their patches."""

from ._images import load_sample_images, train_test_images
from ._patches import extract_patches

__all__ = ["extract_patches", "load_sample_images", "train_test_images"]
