"""``python -m benchmarks.updates [options]``: every dictionary update on patches of photographs.

20 000 patches of 8x8 pixels, 256 atoms, five atoms a patch by orthogonal matching pursuit, the same
start for all; three photographs held out in turn. Processor time is that of one thread, relative
to MOD within the same run.
"""

import argparse
import time

import numpy as np
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from sklearn_resnet_sc import DictionaryLearning, sparse_encode
from sklearn_resnet_sc.datasets import load_sample_images
from sklearn_resnet_sc.theory import mutual_coherence

from .patch_dictionaries import N_NONZERO, patches_without, psnr
from .tables import add_output, mean_and_deviation, print_table, significant, write_csv

UPDATES = {"mod": "MOD", "bcd": "BCD", "aksvd": "AK-SVD", "ksvd": "K-SVD", "rls": "RLS-DLA"}
HELD_OUT = ("camera", "coins", "grass")
HEADER = ("update", "PSNR", "against MOD", "coherence", "processor time, MOD = 1")


def one_image(held_out, n_patches, max_iter):
    """Decibels, coherence and seconds of each update."""
    train, test = patches_without(load_sample_images(), held_out, n_patches)
    measured = []
    with threadpool_limits(1):
        for update in UPDATES:
            options = {
                "n_components": 256,
                "dictionary_update": update,
                "fit_algorithm": "omp",
                "fit_n_nonzero_coefs": N_NONZERO,
                "dict_init": "data",
                "tol": 0,
                "replace_atoms": True,
                "random_state": 0,
            }
            DictionaryLearning(max_iter=1, **options).fit(train[:300])  # compiled, then timed
            start = time.process_time()
            atoms = DictionaryLearning(max_iter=max_iter, **options).fit(train).components_
            seconds = time.process_time() - start
            code = sparse_encode(test, atoms, algorithm="omp", n_nonzero_coefs=N_NONZERO)
            measured.append((psnr(test - code @ atoms), mutual_coherence(atoms), seconds))
    return measured


def main(arguments=None):
    """Run, print, and write where asked to; returns the rows."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.updates", description=__doc__)
    options.add_argument("--n-patches", type=int, default=20_000)
    options.add_argument("--max-iter", type=int, default=30)
    add_output(options)
    arguments = options.parse_args(arguments)
    held_out = HELD_OUT
    if arguments.quick:
        held_out, arguments.n_patches, arguments.max_iter = HELD_OUT[:1], 1000, 1
    measured = Parallel(arguments.n_processes)(
        delayed(one_image)(name, arguments.n_patches, arguments.max_iter) for name in held_out
    )
    levels, coherence, seconds = np.moveaxis(np.array(measured), (2, 1, 0), (0, 1, 2))
    rows = [
        [
            name,
            mean_and_deviation(levels[i]),
            "" if i == 0 else mean_and_deviation(levels[i] - levels[0], sign=True),
            mean_and_deviation(coherence[i]),
            significant(np.median(seconds[i] / seconds[0])),
        ]
        for i, name in enumerate(UPDATES.values())
    ]
    print_table(HEADER, rows)
    if arguments.output:
        write_csv(arguments.output, HEADER, rows)
    return rows


if __name__ == "__main__":
    main()
