"""``python -m benchmarks.training_size [options]``: condition numbers as learning goes on.

A plain dictionary of 256 atoms becomes the worse conditioned the more it is trained; one that is
bounded does not. More patches and more updates, with some photographs held out in turn.
"""

import argparse

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from sklearn_resnet_sc import sparse_encode
from sklearn_resnet_sc.datasets import load_sample_images

from .patch_dictionaries import N_NONZERO, Arm, learn, patches_without, psnr, spectrum
from .tables import add_output, mean_and_deviation, print_table, significant, write_csv

ARMS = (Arm(256), Arm(256, "dct", 0.9), Arm(256, "dct", 0.8))
SIZES = ((5_000, 10), (20_000, 30), (60_000, 30), (60_000, 100))
HELD_OUT = ("camera", "coins", "grass")
HEADER = (
    "patches",
    "updates",
    "condition number, plain",
    *(f"bound {arm.bound:g}" for arm in ARMS[1:]),
    "PSNR, plain",
    *(f"against plain, bound {arm.bound:g}" for arm in ARMS[1:]),
)


def kappa_and_psnr(arm, images, held_out, n_patches, max_iter):
    """Condition number of the atoms, and held-out decibels."""
    train, test = patches_without(images, held_out, n_patches)
    with threadpool_limits(1):
        atoms = learn(arm, train, max_iter=max_iter).components_
        sigma = spectrum(atoms)
        code = sparse_encode(test, atoms, algorithm="omp", n_nonzero_coefs=N_NONZERO)
    return sigma[0] / sigma[-1], psnr(test - code @ atoms)


def main(arguments=None):
    """Run, print, and write where asked to; returns the rows."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.training_size", description=__doc__
    )
    add_output(options)
    arguments = options.parse_args(arguments)
    images = load_sample_images()
    sizes = ((600, 1), (1200, 2)) if arguments.quick else SIZES
    held_out = HELD_OUT[:1] if arguments.quick else HELD_OUT
    rows = []
    for n_patches, max_iter in sizes:
        measured = Parallel(arguments.n_processes)(
            delayed(kappa_and_psnr)(arm, images, name, n_patches, max_iter)
            for arm in ARMS
            for name in held_out
        )
        kappa, level = np.reshape(measured, (len(ARMS), len(held_out), 2)).transpose(2, 0, 1)
        rows.append(
            [
                f"{n_patches}",
                f"{max_iter}",
                *(significant(np.median(values)) for values in kappa),
                mean_and_deviation(level[0]),
                *(mean_and_deviation(values - level[0], sign=True) for values in level[1:]),
            ]
        )
    print_table(HEADER, rows)
    if arguments.output:
        write_csv(arguments.output, HEADER, rows)
    return rows


if __name__ == "__main__":
    main()
