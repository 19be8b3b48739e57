"""Dictionaries learned from patches of images, compared on patches of other images.

The experiment of Skretting and Engan, "Learned dictionaries for sparse image representation:
properties and results" (Proc. SPIE 8138, 2011), with residual dictionaries beside plain ones.
Arrays and numbers only; `_patches_section` turns them into a part of the report.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..coding import sparse_encode
from ..datasets import extract_patches
from ..learning import ResidualDictionaryLearning, dct_dictionary
from ..theory import (
    average_coherence,
    condition_number,
    frame_bounds,
    mutual_coherence,
    numerical_rank,
    uniqueness_bound,
)
from ._section import ReproduceError

PATCH_SIZE = (8, 8)
PEAK = 255.0
N_NONZERO = 5
TARGET_PSNR = 38.0
MAX_NONZERO = 32
RESIDUAL_BOUND = 0.9
FLAT = 5.0

_N_PIXELS = PATCH_SIZE[0] * PATCH_SIZE[1]
# The squared length of a patch's error at the target.
TARGET_ERROR = _N_PIXELS * PEAK**2 * 10 ** (-TARGET_PSNR / 10)


@dataclass(frozen=True)
class Arm:
    """One dictionary of the comparison."""

    key: str
    name: str
    n_components: int
    learned: bool
    shortcut: str | None = None


ARMS = (
    Arm("dct_64", "DCT, 64 atoms", 64, learned=False),
    Arm("plain_64", "plain, 64 atoms", 64, learned=True),
    Arm("identity_residual_64", "identity + R, 64 atoms", 64, learned=True, shortcut="identity"),
    Arm("dct_residual_64", "DCT + R, 64 atoms", 64, learned=True, shortcut="dct"),
    Arm("dct_256", "DCT, 256 atoms", 256, learned=False),
    Arm("plain_256", "plain, 256 atoms", 256, learned=True),
    Arm("dct_residual_256", "DCT + R, 256 atoms", 256, learned=True, shortcut="dct"),
)


@dataclass(frozen=True)
class Scale:
    """How much work is done."""

    n_train: int
    n_test_per_image: int
    n_sweeps: int


QUICK = Scale(n_train=20_000, n_test_per_image=1_500, n_sweeps=20)
FULL = Scale(n_train=100_000, n_test_per_image=4_000, n_sweeps=50)


@dataclass(frozen=True)
class ArmResult:
    """A dictionary, how it was learned, and how it codes the held-out patches."""

    arm: Arm
    dictionary: np.ndarray
    estimator: Any
    psnr: float
    psnr_by_image: Mapping[str, float]
    n_atoms: float
    n_atoms_by_image: Mapping[str, float]
    reached: float
    rank: int
    mu: float
    mu_avg: float
    frame_lower: float
    frame_upper: float
    kappa: float
    kappa_on_span: float
    certified_nonzero: int


@dataclass(frozen=True)
class Experiment:
    """All dictionaries, and the patches they were learned from and tried on."""

    scale: Scale
    n_train: int
    n_test_by_image: Mapping[str, int]
    results: Mapping[str, ArmResult]


def scale_of(inputs):
    return QUICK if inputs.quick else FULL


def count_steps(scale):
    """Steps of ``advance``: one for each coding, in learning and in trying."""
    return (scale.n_sweeps + 1) * sum(arm.learned for arm in ARMS) + 2 * len(ARMS)


def run_experiment(inputs, advance, scale=None):
    """Learn every dictionary and code the held-out patches with it."""
    scale = scale_of(inputs) if scale is None else scale
    train = _train_patches(inputs, scale)
    test = _test_patches(inputs, scale)
    results = {}
    for arm in ARMS:
        estimator = _learn(arm, train, inputs, scale, advance) if arm.learned else None
        if estimator is None:
            dictionary = dct_dictionary(arm.n_components, _N_PIXELS)
        else:
            dictionary = estimator.components_
        results[arm.key] = _evaluate(arm, dictionary, estimator, test, inputs, advance)
    return Experiment(
        scale=scale,
        n_train=train.shape[0],
        n_test_by_image={name: patches.shape[0] for name, patches in test.items()},
        results=results,
    )


def _train_patches(inputs, scale):
    """Random patches of all training images; fewer than asked for only where some are flat."""
    height, width = PATCH_SIZE
    images = inputs.train.values()
    n_positions = sum(
        (image.shape[0] - height + 1) * (image.shape[1] - width + 1) for image in images
    )
    patches = extract_patches(
        inputs.train,
        PATCH_SIZE,
        n_patches=min(scale.n_train, n_positions),
        flat_threshold=None,
        random_state=inputs.seed,
    )
    patches = patches[np.abs(patches).sum(axis=1) >= FLAT]
    n_needed = 2 * max(arm.n_components for arm in ARMS)
    if patches.shape[0] < n_needed:
        raise ReproduceError(
            f"the training images hold too little texture: at least {n_needed} patches that are "
            f"not flat are needed, and {patches.shape[0]} were found"
        )
    return patches


def _test_patches(inputs, scale):
    """Patches of each held-out image that do not overlap, a random choice where there are many."""
    draw = np.random.RandomState(inputs.seed)
    test = {}
    for name, image in inputs.test.items():
        patches = extract_patches(image, PATCH_SIZE, stride=PATCH_SIZE, flat_threshold=FLAT)
        if patches.shape[0] > scale.n_test_per_image:
            chosen = draw.permutation(patches.shape[0])[: scale.n_test_per_image]
            patches = patches[np.sort(chosen)]
        if patches.shape[0] == 0:
            raise ReproduceError(f"the test image {name} has no texture: all its patches are flat")
        test[name] = patches
    return test


def _learn(arm, train, inputs, scale, advance):
    label = f"learning {arm.name}"
    n_left = scale.n_sweeps + 1

    def coded(_):
        nonlocal n_left
        n_left -= 1
        advance(label)

    estimator = ResidualDictionaryLearning(
        arm.n_components,
        shortcut=arm.shortcut,
        residual_bound=None if arm.shortcut is None else RESIDUAL_BOUND,
        fit_algorithm="omp",
        fit_n_nonzero_coefs=N_NONZERO,
        max_iter=scale.n_sweeps,
        n_jobs=inputs.n_jobs,
        callback=coded,
        random_state=inputs.seed,
    ).fit(train)
    # A fit that settled early has done its share of the work all the same.
    advance(label, n_left)
    return estimator


def _evaluate(arm, dictionary, estimator, test, inputs, advance):
    patches = np.concatenate(list(test.values()))
    owner = np.repeat(list(test), [block.shape[0] for block in test.values()])
    options = {"n_jobs": inputs.n_jobs, "sparse_output": True}

    code = sparse_encode(patches, dictionary, algorithm="omp", n_nonzero_coefs=N_NONZERO, **options)
    error = ((patches - code @ dictionary) ** 2).sum(axis=1)
    advance(f"coding with {arm.name}")

    code = sparse_encode(
        patches,
        dictionary,
        algorithm="ols",
        n_nonzero_coefs=MAX_NONZERO,
        tol=TARGET_ERROR,
        **options,
    )
    n_atoms = np.diff(code.indptr)
    left = ((patches - code @ dictionary) ** 2).sum(axis=1)
    advance(f"coding with {arm.name}")

    frame = frame_bounds(dictionary)
    return ArmResult(
        arm=arm,
        dictionary=dictionary,
        estimator=estimator,
        psnr=_psnr(error),
        psnr_by_image={name: _psnr(error[owner == name]) for name in test},
        n_atoms=float(n_atoms.mean()),
        n_atoms_by_image={name: float(n_atoms[owner == name].mean()) for name in test},
        # A stop exactly at the tolerance may lie beyond it by rounding.
        reached=float((left <= TARGET_ERROR * (1 + 1e-9)).mean()),
        rank=numerical_rank(dictionary),
        mu=mutual_coherence(dictionary),
        mu_avg=average_coherence(dictionary),
        frame_lower=frame.lower,
        frame_upper=frame.upper,
        kappa=condition_number(dictionary),
        kappa_on_span=math.sqrt(frame.upper / frame.lower),
        certified_nonzero=uniqueness_bound(dictionary).by_babel,
    )


def _psnr(squared_errors):
    """Peak signal to noise ratio of many patches together, in decibels."""
    error = float(squared_errors.mean())
    return 10 * math.log10(PEAK**2 * _N_PIXELS / error) if error > 0 else math.inf
