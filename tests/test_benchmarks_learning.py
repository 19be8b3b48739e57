"""The tables of the page on learning: their parts are right, and the pages show what scripts write.

Numbers are not compared with those in the documentation: the quick runs here are tiny.
"""

import csv
from pathlib import Path

import numpy as np
import pytest

from benchmarks import (
    autoregressive,
    conditioning,
    patch_dictionaries,
    recovery,
    residual,
    tables,
    training_size,
    updates,
)
from sklearn_resnet_sc.learning import dct_dictionary

DOCUMENTS = Path(__file__).resolve().parent.parent / "doc"
SCRIPTS = {
    "autoregressive": (autoregressive, ""),
    "conditioning": (conditioning, ""),
    "recovery": (recovery, "ksvd aksvd mod bcd rls "),
    "residual": (residual, ""),
    "training_size": (training_size, ""),
    "updates": (updates, ""),
}


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def assert_same_shape(written, shown, same_rows=True):
    """Tables with the same columns, and where asked for with the same first column."""
    assert written[0] == shown[0]
    if same_rows:
        assert [row[0] for row in written] == [row[0] for row in shown]


@pytest.mark.parametrize("name", SCRIPTS)
def test_pages_show_what_scripts_write(name, tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("SKLEARN_RESNET_SC_DATA", raising=False)  # the tables need no other images
    script, arguments = SCRIPTS[name]
    path, images = tmp_path / "table.csv", tmp_path / "images.csv"
    arguments += f"--quick --output {path}"
    if script is residual:
        arguments += f" --output-images {images}"
    script.main(arguments.split())
    assert capsys.readouterr().out
    # A quick run has fewer sizes of training sets, and fewer images.
    shown = read(DOCUMENTS / f"learning_{name}.csv")
    assert_same_shape(read(path), shown, same_rows=script is not training_size)
    if script is residual:
        shown = read(DOCUMENTS / "learning_residual_images.csv")
        assert_same_shape(read(images), shown[:3])


def test_means_and_their_errors():
    # Of 1, 2, 3, 4: standard deviation sqrt(5 / 3), standard error half of it.
    assert tables.mean_and_deviation([1, 2, 3, 4]) == "2.50 (1.29)"
    assert tables.mean_and_error([1, 2, 3, 4]) == "2.50 ± 0.65"
    assert tables.mean_and_error([3.14], sign=True) == "+3.14"
    numbers = [0.00391, 0.99, 3.0, 5.62, 9.96, 26.8, 4123.0]
    assert [tables.significant(value) for value in numbers] == [
        "0.0039",
        "0.99",
        "3.0",
        "5.6",
        "10",
        "27",
        "4100",
    ]


def test_ragged_tables_are_refused(tmp_path):
    with pytest.raises(ValueError, match="must have 2 cells"):
        tables.write_csv(tmp_path / "table.csv", ["one", "two"], [["1", "2"], ["3"]])


def test_the_held_out_image_is_held_out():
    rng = np.random.default_rng(0)
    images = {"loud": 200 * rng.random((40, 40)), "soft": rng.random((40, 40))}
    train, test = patch_dictionaries.patches_without(images, "loud", 50)
    assert np.abs(train).max() < 1 < np.abs(test).max()
    assert test.shape == (25, 64)  # of 40 by 40 pixels, without overlap


def test_spectra_leave_the_mean_out():
    # The half-sample cosine frame of 256 atoms is tight with frame bound 4, and its constant atom
    # is orthogonal to all others.
    np.testing.assert_allclose(patch_dictionaries.spectrum(dct_dictionary(256, 64)), 2)
    assert len(patch_dictionaries.spectrum(dct_dictionary(64, 64))) == 63


def test_noise_on_codes_is_in_proportion_and_keeps_zeros():
    rng = np.random.default_rng(0)
    code = rng.standard_normal((500, 40)) * (rng.random((500, 40)) < 0.1)
    noise = conditioning.disturb(code, 0.1, rng) - code
    assert not noise[code == 0].any()
    assert np.linalg.norm(noise) == pytest.approx(0.1 * np.linalg.norm(code), rel=0.1)


def test_allowances_are_counted_by_image():
    def measured(levels):
        return [residual.Measured(100, level, 0.5, 0.1, 2.0, None, None) for level in levels]

    arm = patch_dictionaries.Arm(64, "dct", 0.9, allowance=0.9)
    results = {arm.plain: measured([30.0, 30.0, 30.0]), arm: measured([29.0, 29.5, 30.1])}
    row = dict(zip(residual.HEADER, residual.table(results)[1], strict=True))
    assert row["images over"] == "1 of 3"
    assert row["worst image"] == "-1.00"
    assert row["mean of images"] == "-0.47 (0.55)"
    assert row["condition number of atoms"] == "20"


def test_all_images_together():
    # Mean squared errors 1 and 4 times 255^2 / 100, on 300 patches and on 100.
    measured = [
        residual.Measured(n, level, 0.5, 0.1, 2.0, None, None)
        for n, level in ((300, 20.0), (100, 20 - 10 * np.log10(4)))
    ]
    assert residual.psnr_of_all(measured) == pytest.approx(20 - 10 * np.log10(7 / 4))
