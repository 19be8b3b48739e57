"""The benchmark of digits runs, on scikit-learn's small ones, and asks for data."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from benchmarks import mnist


@pytest.fixture
def folder(tmp_path):
    digits = load_digits()
    images = np.round(digits.images * (255 / 16)).astype(np.uint8)
    np.savez(tmp_path / "mnist_train.npz", images=images, labels=digits.target)
    return tmp_path


def test_every_row(folder):
    table = folder / "table.csv"
    rows = mnist.main(
        ["--data", str(folder), "--quick", "--leave-out-sklearn", "--output", str(table)]
    )
    assert [row[0] for row in rows[:3]] == ["pixels", "64", "64-32, layered lasso"]
    assert [row[1] for row in rows[:3]] == [64, 64, 96]
    assert all(float(row[-1]) > 60 for row in rows)  # ten by chance
    lines = table.read_text().splitlines()
    assert lines[0].split(",") == list(mnist.HEADER)
    assert len(lines) == 1 + len(rows)


def test_parts_are_fixed_and_do_not_meet(folder):
    X, y, held_out, _ = mnist.load_digits(folder, 300, 200, 0)
    again = mnist.load_digits(folder, 300, 200, 0)
    np.testing.assert_array_equal(X, again[0])
    np.testing.assert_array_equal(y, again[1])
    assert X.dtype == np.float32 and X.min() == 0 and X.max() == 1
    assert not {row.tobytes() for row in X} & {row.tobytes() for row in held_out}


def test_missing_data(tmp_path, monkeypatch):
    monkeypatch.delenv("SKLEARN_RESNET_SC_DATA", raising=False)
    with pytest.raises(SystemExit, match="no mnist_train"):
        mnist.main(["--data", str(tmp_path)])
