"""``python -m benchmarks.conditioning [options]``: what conditioning is worth under noise.

The dictionaries of `benchmarks.residual`, every photograph held out in turn. Full codes are
least squares codes with all atoms (of smallest norm, where atoms outnumber pixels); sparse codes
have five atoms, by orthogonal matching pursuit. Noise is white: on the patches before they are
coded, or on the entries of the codes that are not zero, in proportion to their root mean square.
"""

import argparse
from dataclasses import astuple, dataclass

import numpy as np

from sklearn_resnet_sc import sparse_encode

from .patch_dictionaries import ARMS, N_NONZERO, add_options, centred, over_images, psnr
from .tables import mean_and_deviation, print_table, significant, write_csv

ON_SIGNALS = 20.0  # standard deviation, in grey values
ON_FULL, ON_SPARSE = 0.01, 0.1  # standard deviation over the root mean square of the code
HEADER = (
    "dictionary",
    "full: noise gain",
    f"full: code noise {100 * ON_FULL:g} %",
    "full: 8 bits",
    f"{N_NONZERO} atoms: no noise",
    f"{N_NONZERO} atoms: code noise {100 * ON_SPARSE:g} %",
    f"{N_NONZERO} atoms: patch noise {ON_SIGNALS:g}",
    f"{N_NONZERO} atoms: change of codes",
)


@dataclass(frozen=True)
class Measured:
    """One dictionary on one held-out image, in the order of the columns."""

    gain: float
    full_code_noise: float
    full_bits: float
    sparse: float
    sparse_code_noise: float
    sparse_signal_noise: float
    code_change: float


def disturb(code, share, rng):
    """Noise on all entries that are not zero."""
    entries = code != 0
    size = np.sqrt(np.mean(np.square(code[entries])))
    return code + entries * (share * size) * rng.standard_normal(code.shape)


def measure(learner, test):
    """Numbers of one learned dictionary."""
    rng = np.random.default_rng(0)
    atoms, flat = learner.components_, centred(learner.components_)
    white = rng.standard_normal(test.shape)
    white -= white.mean(axis=1, keepdims=True)

    def sparse(signals):
        return sparse_encode(signals, atoms, algorithm="omp", n_nonzero_coefs=N_NONZERO)

    inverse = np.linalg.pinv(flat, rcond=1e-10)
    full, few, moved = test @ inverse, sparse(test), sparse(test + ON_SIGNALS * white)
    step = 2 * np.abs(full).max() / 255
    return Measured(
        gain=np.linalg.norm(white @ inverse) / np.linalg.norm(white),
        full_code_noise=psnr(test - disturb(full, ON_FULL, rng) @ flat),
        full_bits=psnr(test - step * np.round(full / step) @ flat),
        sparse=psnr(test - few @ atoms),
        sparse_code_noise=psnr(test - disturb(few, ON_SPARSE, rng) @ atoms),
        sparse_signal_noise=psnr(test - moved @ atoms),
        code_change=np.linalg.norm(moved - few) / np.linalg.norm(few),
    )


def table(results):
    """Rows of text, one a dictionary."""
    rows = []
    for arm, measured in results.items():
        gain, *levels, change = zip(*map(astuple, measured), strict=True)
        rows.append(
            [
                str(arm),
                significant(np.median(gain)),
                *(mean_and_deviation(values, digits=1) for values in levels),
                mean_and_deviation(change),
            ]
        )
    return rows


def main(arguments=None):
    """Run, print, and write where asked to; returns the rows."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.conditioning", description=__doc__)
    add_options(options)
    arguments = options.parse_args(arguments)
    _, results = over_images(measure, arguments, ARMS)
    rows = table(results)
    print_table(HEADER, rows)
    if arguments.output:
        write_csv(arguments.output, HEADER, rows)
    return rows


if __name__ == "__main__":
    main()
