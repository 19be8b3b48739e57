"""The command ``sklearn-resnet-sc``: arguments in, exit status out."""

import argparse
import importlib
import importlib.util
import os
import sys
import time
from pathlib import Path

from .._version import __version__
from ._section import Inputs, ReproduceError

# The sections of the report, in order: modules beside this one, see _section.py.
SECTIONS = ("_patches_section", "_claims_section")

_NEEDED = {"jinja2": "jinja2", "matplotlib": "matplotlib", "PIL": "pillow"}


def main(argv=None):
    """Run the command line.

    Parameters
    ----------
    argv : list of str or None, default=None
        Arguments; ``None`` takes those of the process.

    Returns
    -------
    status : int
        0 after success, 1 where something stood in the way (said on standard error), 130 after
        an interrupt. Wrong arguments leave by ``SystemExit`` with status 2.

    Examples
    --------
    >>> from sklearn_resnet_sc.reproduce import main
    >>> main(["reproduce", "--data", "no such folder"])
    1
    """
    arguments = _parser().parse_args(argv)
    try:
        return arguments.command(arguments)
    except ReproduceError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        _fail("interrupted; no report was written")
        return 130


def _fail(message):
    sys.stderr.write(f"sklearn-resnet-sc: error: {message}\n")
    return 1


def _parser():
    parser = argparse.ArgumentParser(
        prog="sklearn-resnet-sc",
        description="Sparse coding with plain and residual dictionaries.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    reproduce = commands.add_parser(
        "reproduce",
        help="learn dictionaries from real images and write a report",
        description=(
            "Learn plain and residual dictionaries from patches of real images, code other images "
            "with them, and write report.html, its figures and results.json. Nothing is "
            "downloaded."
        ),
    )
    reproduce.set_defaults(command=_reproduce)
    reproduce.add_argument(
        "--quick", action="store_true", help="fewer patches and sweeps: seconds, not minutes"
    )
    reproduce.add_argument(
        "--out",
        type=Path,
        default=Path("reproduction"),
        metavar="DIR",
        help="folder to write to, made if need be (default: %(default)s)",
    )
    reproduce.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="seed of all draws (default: 0)"
    )
    reproduce.add_argument(
        "--n-jobs",
        type=_n_jobs,
        default=-1,
        metavar="N",
        help="threads; -1 means one for each core (default: -1); no result depends on it",
    )
    reproduce.add_argument(
        "--data",
        type=Path,
        default=None,
        metavar="DIR",
        help=(
            "folder of your own images, with subfolders train and test, or without (then every "
            "other image is for testing); default: photographs that scikit-image and "
            "scikit-learn bring along"
        ),
    )
    return parser


def _integer(text):
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be an integer; got {text!r}") from None


def _seed(text):
    value = _integer(text)
    if not 0 <= value < 2**32:
        raise argparse.ArgumentTypeError(f"must lie between 0 and 2**32 - 1; got {text}")
    return value


def _n_jobs(text):
    value = _integer(text)
    if value == 0:
        raise argparse.ArgumentTypeError("must be a positive number of threads, or -1; got 0")
    return value


def _reproduce(arguments):
    start = time.perf_counter()
    _check_installed()
    inputs = _inputs(arguments)
    _make_folder(arguments.out)
    sections = _run_sections(inputs)

    from ._report import write_report

    try:
        report, text = write_report(sections, inputs, arguments.out, time.perf_counter() - start)
    except OSError as error:
        raise ReproduceError(f"--out: the report cannot be written ({error})") from error
    sys.stdout.write(f"{text}\n\nReport: {report} ({time.perf_counter() - start:.0f} s)\n")
    return 0


def _check_installed():
    missing = [name for module, name in _NEEDED.items() if not importlib.util.find_spec(module)]
    if missing:
        raise ReproduceError(
            f"the report needs {' and '.join(missing)}; "
            'install the extra "reproduce": pip install "sklearn-resnet-sc[reproduce]"'
        )


def _make_folder(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReproduceError(f"--out: {folder} cannot be made ({error.strerror})") from error
    if not os.access(folder, os.W_OK):
        raise ReproduceError(f"--out: {folder} cannot be written to")


def _inputs(arguments):
    if arguments.data is None:
        from ..datasets import train_test_images

        try:
            train, test = train_test_images()
        except ImportError as error:
            raise ReproduceError(str(error)) from error
    else:
        from ._folder import read_folder

        train, test = read_folder(arguments.data)
    return Inputs(
        train=train,
        test=test,
        quick=arguments.quick,
        seed=arguments.seed,
        n_jobs=arguments.n_jobs,
    )


def _run_sections(inputs):
    from tqdm import tqdm

    from .._parallel import single_threaded_blas

    modules = [importlib.import_module(f".{name}", __package__) for name in SECTIONS]
    n_steps = sum(module.count_steps(inputs) for module in modules)
    layout = "{percentage:3.0f}%|{bar}| {elapsed}<{remaining} {desc}"
    with tqdm(total=n_steps, bar_format=layout, file=sys.stderr, dynamic_ncols=True) as bar:

        def advance(label, n_steps=1):
            bar.set_description_str(label, refresh=False)
            bar.update(n_steps)

        # How a BLAS splits a sum over its threads shows in the last bits: one thread each makes
        # the results those of any number of cores, and small matrices are faster this way.
        with single_threaded_blas():
            return [module.run(inputs, advance) for module in modules]
