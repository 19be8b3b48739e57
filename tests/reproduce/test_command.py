import importlib.util
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import sklearn_resnet_sc
from sklearn_resnet_sc.reproduce import _cli, main


def test_says_where_the_report_is_and_prints_the_tables(finished):
    assert str(finished.folder / "report.html") in finished.out
    assert "PSNR at" in finished.out
    assert max(map(len, finished.out.splitlines())) <= 100 + len(str(finished.folder))
    assert finished.out.isascii()  # whatever the terminal can show
    assert "100%" in finished.err
    for name in ("DCT, 64 atoms", "plain, 256 atoms", "DCT + R, 256 atoms"):
        assert name in finished.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["produce"], "invalid choice: 'produce'"),
        (["reproduce", "--seed", "-1"], "--seed: must lie between 0 and"),
        (["reproduce", "--seed", "1e3"], "--seed: must be an integer; got '1e3'"),
        (["reproduce", "--n-jobs", "0"], "--n-jobs: must be a positive number of threads"),
        (["reproduce", "--n-jobs", "two"], "--n-jobs: must be an integer; got 'two'"),
        (["reproduce", "--fast"], "unrecognized arguments: --fast"),
    ],
)
def test_wrong_arguments_leave_with_status_2(capsys, arguments, message):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["reproduce", "--help"], ["--version"]])
def test_help_and_version_leave_with_status_0(capsys, arguments):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert "sklearn-resnet-sc" in shown
    assert ("--version" in arguments) == (sklearn_resnet_sc.__version__ in shown)


def test_out_is_a_file(call, tmp_path, images):
    obstacle = tmp_path / "file"
    obstacle.touch()
    done = call("reproduce", "--quick", "--data", images, "--out", obstacle)
    assert done.status == 1
    assert f"--out: {obstacle} cannot be made" in done.err
    assert obstacle.read_bytes() == b""


def test_out_is_tried_before_the_work(call, tmp_path, images, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr(_cli, "SECTIONS", ("no_such_section",))
    done = call("reproduce", "--data", images, "--out", tmp_path)
    assert done.status == 1
    assert "cannot be written to" in done.err


@pytest.mark.parametrize("module", ["jinja2", "matplotlib", "PIL", "skimage"])
def test_missing_package_names_the_extra(call, tmp_path, monkeypatch, module):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == module else find_spec(name)
    )
    monkeypatch.setattr(_cli, "SECTIONS", ("no_such_section",))
    done = call("reproduce", "--out", tmp_path / "out")
    assert done.status == 1
    assert "sklearn-resnet-sc[reproduce]" in done.err
    assert not (tmp_path / "out").exists()


def test_interrupt_leaves_with_status_130(call, tmp_path, images, monkeypatch):
    def interrupt(inputs):
        raise KeyboardInterrupt

    monkeypatch.setattr(_cli, "_run_sections", interrupt)
    done = call("reproduce", "--data", images, "--out", tmp_path)
    assert done.status == 130
    assert "no report was written" in done.err
    assert list(tmp_path.iterdir()) == []


def test_data_decides_the_images(images):
    from sklearn_resnet_sc.reproduce._folder import read_folder

    train, test = read_folder(images)
    assert sorted(train) == ["brick.png", "camera.png"]
    assert sorted(test) == ["astronaut.png", "coins.png"]
    # Without the subfolders every other image in alphabetical order is for testing.
    train, test = read_folder(images / "train")
    assert (list(train), list(test)) == (["brick.png"], ["camera.png"])
    assert train["brick.png"].shape == (96, 100)
    assert train["brick.png"].dtype == np.uint8


def folder_of(tmp_path, **files):
    for name, content in files.items():
        path = tmp_path / f"{name}.png"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            Image.fromarray(content).save(path)
    return tmp_path


NOISE = np.random.default_rng(0).integers(0, 256, (70, 70)).astype(np.uint8)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no image"),
        ({"a": NOISE}, "at least two images"),
        ({"a": NOISE, "b": b"not an image"}, "b.png cannot be read as an image"),
        ({"a": NOISE, "b": NOISE[:20]}, "at least 64 pixels on each side; .*b.png has 70 x 20"),
        ({"a": NOISE, "b": NOISE.astype(np.uint16)}, "b.png has more than 8 bits a pixel"),
        ({"a": NOISE, "b": np.full_like(NOISE, 9)}, "test image b.png has no texture"),
        ({"a": np.full_like(NOISE, 9), "b": NOISE}, "training images hold too little texture"),
    ],
)
def test_unfit_data(call, tmp_path, tiny, files, message):
    (tmp_path / "data").mkdir()
    folder = folder_of(tmp_path / "data", **files)
    done = call("reproduce", "--quick", "--data", folder, "--out", tmp_path / "out")
    assert done.status == 1
    assert done.out == ""
    assert re.search(message, done.err)


def test_data_is_no_folder(call, tmp_path):
    done = call("reproduce", "--data", tmp_path / "none")
    assert done.status == 1
    assert "--data must be a folder of images" in done.err


def test_python_dash_m_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "sklearn_resnet_sc", "reproduce", "--seed", "x"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "argument --seed: must be an integer" in done.stderr
