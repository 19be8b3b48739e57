"""Docstrings and documents: complete, and about names that exist."""

import configparser
import dataclasses
import enum
import importlib
import inspect
import re
import shlex
from pathlib import Path

import numpydoc.validate
import pytest
from numpydoc.docscrape import ClassDoc
from sklearn.utils._available_if import _AvailableIfDescriptor

import sklearn_resnet_sc

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "doc/*.rst", "examples/*.py", "examples/*.rst", "benchmarks/*.py")
    for path in ROOT.glob(pattern)
)
FLOORS = sklearn_resnet_sc._FLOORS


def public_objects():
    """Yield the dotted name of every public function, class and method."""
    for floor in FLOORS:
        module = importlib.import_module(f"sklearn_resnet_sc.{floor}")
        for name in module.__all__:
            value = getattr(module, name)
            if not callable(value):
                continue
            yield f"{module.__name__}.{name}"
            if not inspect.isclass(value):
                continue
            for base in value.__mro__:
                if not base.__module__.startswith("sklearn_resnet_sc"):
                    continue
                for member, function in vars(base).items():
                    documented = inspect.isfunction(function) or isinstance(
                        function, (property, classmethod, staticmethod, _AvailableIfDescriptor)
                    )
                    if documented and not member.startswith("_"):
                        yield f"{module.__name__}.{name}.{member}"


def chosen_checks():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = parser["tool:numpydoc_validation"]["checks"].split()
    if "all" in listed:  # then the others are left out
        return set(numpydoc.validate.ERROR_MSGS) - set(listed)
    return set(listed)


@pytest.mark.parametrize("name", sorted(set(public_objects())))
def test_docstring_follows_numpydoc(name):
    checks = chosen_checks()
    value = resolve(name)
    if dataclasses.is_dataclass(value):
        # A result: its fields are attributes, not parameters that anybody gives.
        fields = {field.name for field in dataclasses.fields(value)}
        documented = {entry.name for entry in ClassDoc(value)["Attributes"]}
        assert fields <= {part for entry in documented for part in entry.split(", ")}
        checks -= {"PR01"}
    elif inspect.isclass(value) and issubclass(value, enum.Enum):
        checks -= {"PR01"}  # its parameters are those of every enumeration
    errors = numpydoc.validate.validate(name)["errors"]
    assert [f"{code}: {message}" for code, message in errors if code in checks] == []


@pytest.mark.parametrize("floor", FLOORS)
def test_each_floor_says_what_it_is_for(floor):
    assert re.match(r"[A-Z][^\n]*\.(\n|$)", getattr(sklearn_resnet_sc, floor).__doc__)


def resolve(name):
    """The object of a dotted name that starts with the package; AttributeError if there is none."""
    value = sklearn_resnet_sc
    for part in name.split(".")[1:]:
        value = getattr(value, part)
    return value


def test_there_are_documents():
    assert {"README.md", "index.rst", "api.rst"} <= {path.name for path in DOCUMENTS}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_names_in_documents_exist(path):
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"\bsklearn_resnet_sc(?:\.[A-Za-z_]\w*)+", text):
        if name.endswith((".py", ".egg")):
            continue
        resolve(name)
    for module, names in re.findall(
        r"^ *(?:>>> )?from (sklearn_resnet_sc[\w.]*) import (\([\w\s,]+\)|[\w ,]+)$", text, re.M
    ):
        for name in names.strip("()").split(","):
            if name.strip():
                resolve(f"{module}.{name.split()[0]}")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_named_in_documents_exist(path):
    text = path.read_text(encoding="utf-8")
    made = ("doc/_build", "reproduction/", "coding/_yourname.py", "learning/_yourname.py")
    pattern = r"(?<![\w./])((?:doc|tests|benchmarks|examples|sklearn_resnet_sc|\.ci)/[\w./-]*\w)"
    for name in re.findall(pattern, text):
        if not any(part in name for part in made):
            assert (ROOT / name).exists(), name


@pytest.mark.parametrize("floor", [floor for floor in FLOORS if floor != "reproduce"])
def test_every_public_name_is_in_the_api_reference(floor):
    reference = (ROOT / "doc" / "api.rst").read_text(encoding="utf-8").split()
    module = getattr(sklearn_resnet_sc, floor)
    missing = [name for name in module.__all__ if name not in reference]
    assert missing == []


def readme_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return dict(re.findall(r"<!-- (\w+) -->\n```bash\n([^\n]+)\n```", text))


def test_readme_has_the_two_commands_each_one_line():
    commands = readme_commands()
    assert sorted(commands) == ["run", "test"]
    for command in commands.values():
        words = shlex.split(command)
        assert words[:4] == ["python", "-m", "pip", "install"]
        assert words[words.index("-c") + 1] == "constraints.txt"
        assert "&&" in words


def test_readme_example_runs():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names = {}
    exec(compile(example.replace("print(", "str("), "README.md", "exec"), names)
    assert names["code"].shape == (len(names["X"]), len(names["model"].components_))
    assert (names["code"] != 0).sum(axis=1).max() <= 5
