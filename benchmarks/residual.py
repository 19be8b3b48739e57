"""``python -m benchmarks.residual [options]``: residual against plain dictionaries.

Every photograph is held out in turn; dictionaries are learned from patches of the others and
code the patches of the held-out one with five atoms, by orthogonal matching pursuit. What the
bound on the residual costs, and what it buys: see `benchmarks.patch_dictionaries`.
"""

import argparse
from dataclasses import dataclass

import numpy as np

from sklearn_resnet_sc import sparse_encode
from sklearn_resnet_sc.theory import condition_number, mutual_coherence

from .patch_dictionaries import ARMS, N_NONZERO, add_options, over_images, psnr, spectrum
from .tables import mean_and_deviation, print_table, significant, write_csv

HEADER = (
    "dictionary",
    "PSNR",
    "against plain",
    "mean of images",
    "worst image",
    "allowed",
    "images over",
    "coherence",
    "singular values",
    "condition number of atoms",
    "of P + R",
    "certified for P + R",
)


@dataclass(frozen=True)
class Measured:
    """One dictionary on one held-out image."""

    n_patches: int
    psnr: float
    coherence: float
    smallest: float
    largest: float
    kappa_of_sum: float | None  # of shortcut + residual
    certified: float | None  # what the certificate promises for it

    @property
    def kappa(self):
        """Condition number of the unit atoms."""
        return self.largest / self.smallest


def measure(learner, test):
    """Numbers of one learned dictionary."""
    atoms = learner.components_
    code = sparse_encode(test, atoms, algorithm="omp", n_nonzero_coefs=N_NONZERO)
    sigma = spectrum(atoms)
    total = certified = None
    if learner.shortcut_ is not None:
        total = condition_number(learner.shortcut_ + learner.residual_)
        certified = learner.certificate_.bounds.condition_number_bound
    return Measured(
        len(test),
        psnr(test - code @ atoms),
        mutual_coherence(atoms),
        sigma[-1],
        sigma[0],
        total,
        certified,
    )


def psnr_of_all(measured):
    """Decibels of the patches of all images together."""
    squared = [one.n_patches * 10 ** (-one.psnr / 10) for one in measured]
    return -10 * np.log10(np.sum(squared) / np.sum([one.n_patches for one in measured]))


def difference(results, arm):
    """Decibels above the plain dictionary of the same size, by image."""
    return np.array(
        [one.psnr - plain.psnr for one, plain in zip(results[arm], results[arm.plain], strict=True)]
    )


def table(results):
    """Rows of text, one a dictionary."""
    rows = []
    for arm, measured in results.items():
        together = psnr_of_all(measured)
        row = [str(arm), f"{together:.2f}"]
        if arm.shortcut is None:
            row += [""] * 5
        else:
            gain = difference(results, arm)
            row.append(f"{together - psnr_of_all(results[arm.plain]):+.2f}")
            row += [mean_and_deviation(gain, sign=True), f"{gain.min():+.2f}"]
            row += (
                ["", ""]
                if arm.allowance is None
                else [f"{-arm.allowance:+.1f}", f"{np.sum(gain < -arm.allowance)} of {len(gain)}"]
            )
        row.append(mean_and_deviation([one.coherence for one in measured]))
        # Medians: a condition number may be anything on a single image.
        middle = {
            name: "" if values[0] is None else significant(np.median(values))
            for name in ("smallest", "largest", "kappa", "kappa_of_sum", "certified")
            for values in [[getattr(one, name) for one in measured]]
        }
        row.append(f"{middle['smallest']} to {middle['largest']}")
        rows.append([*row, middle["kappa"], middle["kappa_of_sum"], middle["certified"]])
    return rows


def table_of_images(names, results):
    """One row an image: the plain dictionary's decibels, and how far the others are from them."""
    header = ["image", *(str(arm) for arm in results)]
    columns = [
        [f"{one.psnr:.2f}" for one in measured]
        if arm.shortcut is None
        else [f"{gain:+.2f}" for gain in difference(results, arm)]
        for arm, measured in results.items()
    ]
    return header, [list(row) for row in zip(names, *columns, strict=True)]


def main(arguments=None):
    """Run, print, and write where asked to; returns the rows."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.residual", description=__doc__)
    add_options(options)
    options.add_argument("--output-images", metavar="FILE", help="write a row for every image")
    arguments = options.parse_args(arguments)
    names, results = over_images(measure, arguments, ARMS)
    rows = table(results)
    print_table(HEADER, rows)
    header, by_image = table_of_images(names, results)
    print_table(header, by_image)
    if arguments.output:
        write_csv(arguments.output, HEADER, rows)
    if arguments.output_images:
        write_csv(arguments.output_images, header, by_image)
    return rows


if __name__ == "__main__":
    main()
