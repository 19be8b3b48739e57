import base64
import json
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from sklearn_resnet_sc.plotting import SpectrumDisplay
from sklearn_resnet_sc.reproduce._report import results_of, section_text, write_report
from sklearn_resnet_sc.reproduce._section import Figure, Inputs, Section, Statements, Table

FIGURES = [
    *(f"atoms_{name}_64" for name in ("dct", "plain", "identity_residual", "dct_residual")),
    *(f"atoms_{name}_256" for name in ("dct", "plain", "dct_residual")),
    "spectra_64",
    "spectra_256",
    *(f"claims_{name}" for name in ("density", "spectra", "energy")),
    *(f"claims_activation_{name}" for name in ("slopes", "least_squares")),
]
CLAIMS_TITLE = "What the paper claims and what is true"
# Elements without an end.
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """Collects what a browser would fetch, and whether every element is closed."""

    def __init__(self, text):
        super().__init__()
        self.references, self.open, self.tags, self.words = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.references += [value for name, value in attrs if name in ("src", "href", "srcset")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def inputs(**changes):
    image = np.zeros((64, 64), dtype=np.uint8)
    given = {"train": {"a": image}, "test": {"b": image}, "quick": True, "seed": 0, "n_jobs": 1}
    return Inputs(**{**given, **changes})


def test_every_file_is_there(finished):
    expected = {"report.html", "results.json", *(f"{name}.png" for name in FIGURES)}
    assert {path.name for path in finished.folder.iterdir()} == expected
    for name in FIGURES:
        assert (finished.folder / f"{name}.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_report_is_self_contained(finished):
    text = (finished.folder / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.open == []
    assert page.references
    assert all(reference.startswith("data:") for reference in page.references)
    assert not {"script", "iframe", "object", "embed"} & set(page.tags)
    assert not re.search(r"url\(|@import|https?:", text)
    # The pictures inside are those beside it.
    inside = {
        base64.b64decode(reference.partition("base64,")[2])
        for reference in page.references
        if reference.startswith("data:image/png;base64,")
    }
    assert inside == {(finished.folder / f"{name}.png").read_bytes() for name in FIGURES}


def test_report_holds_tables_reading_and_certificates(finished):
    page = Page((finished.folder / "report.html").read_text(encoding="utf-8"))
    words = " ".join(" ".join(page.words).split())
    told = finished.out.partition("With 64 atoms")[2].partition(CLAIMS_TITLE)[0]
    reading = " ".join(told.split())
    assert reading in words
    assert "Certified for shortcut + residual." in words
    assert "Plain dictionary without shortcut" in words
    results = json.loads((finished.folder / "results.json").read_text(encoding="utf-8"))
    for numbers in results["patches"]["dictionaries"].values():
        assert f"{numbers['psnr_at_5_atoms']:.2f}" in words


def test_same_seed_same_results_byte_for_byte(call, finished, images, tiny, tmp_path):
    expected = (finished.folder / "results.json").read_bytes()
    done = call("reproduce", "--quick", "--data", images, "--out", tmp_path, "--n-jobs", 2)
    assert done.status == 0
    assert (tmp_path / "results.json").read_bytes() == expected
    assert str(images).encode() not in expected
    done = call("reproduce", "--quick", "--data", images, "--out", tmp_path, "--seed", 1)
    assert done.status == 0
    assert (tmp_path / "results.json").read_bytes() != expected


def test_results_are_rounded_and_sorted():
    numbers = {"b": 1 / 3, "a": [math.inf, math.nan, 1e-16, 123456789.0], "c": {"d": None, "e": 7}}
    section = Section(name="one", title="One", numbers=numbers)
    text = results_of([section], inputs(seed=5))
    read = json.loads(text)
    assert read["one"] == {
        "a": [None, None, 0.0, 123457000.0],
        "b": 0.333333,
        "c": {"d": None, "e": 7},
    }
    assert list(read["one"]) == ["a", "b", "c"]
    assert read["settings"] == {
        "quick": True,
        "seed": 5,
        "train_images": ["a"],
        "test_images": ["b"],
    }


def test_numpy_floats_are_rounded_too():
    numbers = {"a": np.float64(1 / 3)}
    assert "0.333333," not in results_of([Section("one", "One", numbers)], inputs())
    assert (
        json.loads(results_of([Section("one", "One", numbers)], inputs()))["one"]["a"] == 0.333333
    )


def test_table_as_text():
    table = Table("Caption", ["name", "very\nlong", "x"], [["a", "1.00", "2"], ["bcdef", "3", "4"]])
    section = Section("one", "Title", {}, tables=[table], reading="Words.")
    assert section_text(section).splitlines() == [
        "Title",
        "",
        "Caption",
        "       very",
        "name   long  x",
        "--------------",
        "a      1.00  2",
        "bcdef     3  4",
        "",
        "Words.",
    ]


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", 'a" onload="alert(1)', "a & b"])
def test_names_and_words_are_escaped(tmp_path, text):
    figure = Figure("figure", text, SpectrumDisplay([[1.0]]), (2, 2))
    section = Section(
        "one",
        text,
        {},
        introduction=[text],
        tables=[Table(text, [text], [[text]], [text])],
        reading=text,
        figures=[figure],
        statements=[Statements(text, [text])],
    )
    report, _ = write_report([section], inputs(train={text: None}), tmp_path, 1.0)
    page = Page(report.read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert " ".join(page.words).count(text) == 11
