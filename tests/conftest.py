"""What all tests share: settings of hypothesis, a backend without a screen, image patches."""

import os

import hypothesis
import pytest

os.environ.setdefault("MPLBACKEND", "Agg")

# The first example of a law compiles kernels, so no deadline. In CI the same examples every time.
hypothesis.settings.register_profile("local", deadline=None)
hypothesis.settings.register_profile(
    "ci", deadline=None, derandomize=True, database=None, print_blob=True
)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def natural_patches():
    """2000 patches (8 x 8, mean removed) of real images, float64, read-only."""
    from sklearn_resnet_sc.datasets import extract_patches, load_sample_images

    patches = extract_patches(load_sample_images(), (8, 8), n_patches=2000, random_state=0)
    patches.setflags(write=False)
    return patches
