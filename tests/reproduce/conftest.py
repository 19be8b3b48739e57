import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from sklearn_resnet_sc.datasets import train_test_images
from sklearn_resnet_sc.reproduce import _patches, main

TINY = _patches.Scale(n_train=800, n_test_per_image=40, n_sweeps=2)


def _call(*arguments):
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main([str(argument) for argument in arguments])
    return SimpleNamespace(status=status, out=out.getvalue(), err=err.getvalue())


@pytest.fixture(scope="session")
def call():
    """The command line, inside this process."""
    return _call


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """A user's folder: corners of real photographs, in the two subfolders."""
    folder = tmp_path_factory.mktemp("images")
    for part, named in zip(("train", "test"), train_test_images(), strict=True):
        (folder / part).mkdir()
        for name in sorted(named)[:2]:
            Image.fromarray(named[name][100:196, 100:200]).save(folder / part / f"{name}.png")
    return folder


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setattr(_patches, "QUICK", TINY)


@pytest.fixture(scope="session")
def finished(images, tmp_path_factory):
    """One run of the command, looked at by many tests."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(_patches, "QUICK", TINY)
        folder = tmp_path_factory.mktemp("out") / "made" / "on the way"
        done = _call("reproduce", "--quick", "--data", images, "--out", folder, "--n-jobs", 1)
    assert done.status == 0, done.err
    done.folder = Path(folder)
    return done
