"""Plain and residual dictionaries of equal size, learned with one photograph held out in turn.

What `benchmarks.residual` and `benchmarks.conditioning` have in common: 8x8 patches without
their mean, flat ones left out; five atoms a patch in learning.
"""

from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from sklearn_resnet_sc import ResidualDictionaryLearning
from sklearn_resnet_sc.datasets import extract_patches

from .tables import add_output
from .tasks import load_images

PATCH_SIZE = (8, 8)
N_NONZERO = 5


@dataclass(frozen=True)
class Arm:
    """One dictionary; `allowance`: decibels below the plain one that are accepted."""

    n_components: int
    shortcut: str | None = None
    bound: float | None = None
    allowance: float | None = None

    def __str__(self):
        size = f"{self.n_components} atoms"
        if self.shortcut is None:
            return f"{size}, plain"
        return f"{size}, {SHORTCUT_NAMES[self.shortcut]}, {self.bound:g}"

    @property
    def plain(self):
        """The plain dictionary of the same size."""
        return Arm(self.n_components)


SHORTCUT_NAMES = {"identity": "identity", "dct": "DCT"}
ARMS = (
    Arm(64),
    Arm(64, "identity", 0.9, 1.2),
    Arm(64, "dct", 0.9, 0.9),
    Arm(256),
    Arm(256, "dct", 0.9, 0.3),
    Arm(256, "dct", 0.8, 0.3),
    Arm(256, "dct", 0.65, 0.3),
)


def learn(arm, patches, *, max_iter, seed=0):
    """The learner of one arm, fitted."""
    return ResidualDictionaryLearning(
        arm.n_components,
        shortcut=arm.shortcut,
        residual_bound=arm.bound,
        fit_n_nonzero_coefs=N_NONZERO,
        max_iter=max_iter,
        random_state=seed,
    ).fit(patches)


def patches_without(images, held_out, n_patches, seed=0):
    """Random patches of all images but one, and all patches of that one that do not overlap."""
    others = {name: image for name, image in images.items() if name != held_out}
    train = extract_patches(others, PATCH_SIZE, n_patches=n_patches, random_state=seed)
    return train, extract_patches(images[held_out], PATCH_SIZE, stride=PATCH_SIZE)


def psnr(error):
    """Peak signal-to-noise ratio of 8-bit patches, in decibels."""
    return 10 * np.log10(255**2 / np.mean(np.square(error)))


def centred(atoms):
    """Atoms without their mean, which patches do not have either."""
    return atoms - atoms.mean(axis=1, keepdims=True)


def spectrum(atoms):
    """Singular values on the dimensions that patches without mean have, largest first.

    Plain atoms are sums of patches and have no mean; counting that dimension would call them
    singular for a dull reason.
    """
    values = np.linalg.svd(centred(atoms), compute_uv=False)
    return values[: min(len(atoms), atoms.shape[1] - 1)]


def over_images(measure, arguments, arms=ARMS):
    """``measure(learner, test)`` by arm, a list over the images held out in turn; and their names.

    Everything is learned anew for each image, from patches of all others.
    """
    images, _ = load_images(arguments.data)
    names, most = list(images), None
    if arguments.quick:
        names, arguments.n_patches, arguments.max_iter, most = names[:2], 600, 1, 200

    def one(name):
        train, test = patches_without(images, name, arguments.n_patches)
        test = test[:most]
        with threadpool_limits(1):  # small matrices: threads would wait for each other
            return [measure(learn(arm, train, max_iter=arguments.max_iter), test) for arm in arms]

    rows = Parallel(arguments.n_processes)(delayed(one)(name) for name in names)
    return names, {arm: [row[i] for row in rows] for i, arm in enumerate(arms)}


def add_options(options):
    """How much is learned from, with the values that the tables were made with."""
    options.add_argument("--n-patches", type=int, default=20_000)
    options.add_argument("--max-iter", type=int, default=30)
    options.add_argument("--data", metavar="DIR", help="folder with images.npz; else sample images")
    add_output(options)
