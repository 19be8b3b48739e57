"""The package as a whole: what importing it costs, its floors, its metadata, its wheel."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import sklearn_resnet_sc

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "sklearn_resnet_sc"
FLOORS = sklearn_resnet_sc._FLOORS
HEAVY = {"torch", "matplotlib", "pandas", "dask", "skimage", "PIL", "jinja2", "IPython"}


def run_python(script, **environment):
    """Run `script` in a new interpreter and return what it prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ---------------------------------------------------------------------------- importing


def test_importing_the_package_alone_imports_next_to_nothing():
    modules = run_python("import json, sys, sklearn_resnet_sc; print(json.dumps([*sys.modules]))")
    assert not {"numpy", "scipy", "sklearn", "numba"}.union(HEAVY).intersection(modules)


def test_public_names_load_nothing_heavy():
    # scikit-learn may itself import pandas where it is installed, so: what we add to it.
    added = run_python(
        "import json, sys, sklearn.base, numba\n"
        "before = set(sys.modules)\n"
        "import sklearn_resnet_sc\n"
        "for name in sklearn_resnet_sc.__all__:\n"
        "    getattr(sklearn_resnet_sc, name)\n"
        "print(json.dumps([*set(sys.modules) - before]))"
    )
    assert not HEAVY.intersection(name.partition(".")[0] for name in added)
    assert "scipy.stats" not in added


# A clock that another process on the same cores does not move much.
CLOCK = "import time\ndef clock(): return time.perf_counter(), time.process_time()\n"
ELAPSED = "print(min(stop - start for start, stop in zip(begin, clock())))"


def attained(limit, script, **environment):
    """Whether one of a few runs of `script` prints at most `limit` seconds."""
    return any(run_python(script, **environment) <= limit for _ in range(4))


def test_import_costs_at_most_a_third_of_a_second():
    script = (
        CLOCK + "import sklearn.base, numba\nbegin = clock()\n"
        "from sklearn_resnet_sc import ResidualDictionaryLearning, SparseCoder, sparse_encode\n"
    )
    assert attained(0.3, script + ELAPSED)


FIRST_USES = {
    "sparse_encode": "sparse_encode(X, D, algorithm='omp', n_nonzero_coefs=5)",
    "ResidualDictionaryLearning": (
        "ResidualDictionaryLearning(fit_n_nonzero_coefs=3, max_iter=2, random_state=0).fit(X)"
    ),
}


def first_use(call, dtype="float64"):
    return (
        CLOCK + "import numpy as np\n"
        "from sklearn_resnet_sc import ResidualDictionaryLearning, SparseCoder, sparse_encode\n"
        "rng = np.random.default_rng(0)\n"
        f"X = rng.standard_normal((300, 16)).astype('{dtype}')\n"
        f"D = rng.standard_normal((32, 16)).astype('{dtype}')\n"
        "D /= np.linalg.norm(D, axis=1, keepdims=True)\n"
        f"begin = clock()\n{call}\n"
    )


@pytest.mark.parametrize("name", FIRST_USES)
def test_first_use_with_an_empty_and_with_a_warm_cache(name, tmp_path):
    script = first_use(FIRST_USES[name]) + ELAPSED
    cold = run_python(script, NUMBA_CACHE_DIR=str(tmp_path))
    assert any(tmp_path.rglob("*.nbc"))  # kernels were compiled, and kept
    assert cold <= 6.0
    assert attained(0.5, script, NUMBA_CACHE_DIR=str(tmp_path))  # now with a warm one


@pytest.mark.parametrize("named", [False, True], ids=["no folder named", "NUMBA_CACHE_DIR named"])
def test_works_where_no_cache_can_be_written(named, tmp_path):
    # Files stand where folders would have to be made: that stops root too, unlike permissions.
    shutil.copytree(
        PACKAGE, tmp_path / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__", "*.nb[ci]")
    )
    for folder in [PACKAGE, *(PACKAGE / floor for floor in FLOORS)]:
        (tmp_path / folder.relative_to(ROOT) / "__pycache__").touch()
    obstacle = tmp_path / "file"
    obstacle.touch()
    blocked = str(obstacle / "cache")
    environment = {"PYTHONPATH": str(tmp_path), "XDG_CACHE_HOME": blocked, "HOME": blocked}
    environment |= {"LOCALAPPDATA": blocked, "NUMBA_CACHE_DIR": blocked if named else ""}
    script = first_use("code = sparse_encode(X, D, algorithm='omp', n_nonzero_coefs=5)")
    script += "import json, sklearn_resnet_sc as package\n"
    script += "print(json.dumps([package.__file__, int((code != 0).sum(axis=1).max())]))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    file, n_nonzero = json.loads(done.stdout)
    assert Path(file).is_relative_to(tmp_path)
    assert n_nonzero == 5


# ---------------------------------------------------------------------------- names


def test_public_names():
    assert sorted(sklearn_resnet_sc.__all__) == dir(sklearn_resnet_sc)
    for name in sklearn_resnet_sc.__all__:
        assert getattr(sklearn_resnet_sc, name) is not None
    with pytest.raises(AttributeError, match="'no_such_name'"):
        _ = sklearn_resnet_sc.no_such_name


@pytest.mark.parametrize("floor", FLOORS)
def test_each_floor_has_a_curated_list_of_names_that_exist(floor):
    module = getattr(sklearn_resnet_sc, floor)
    assert module.__all__
    assert len(set(module.__all__)) == len(module.__all__)
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        assert not name.startswith("_")
        assert getattr(module, name) is not None


# ---------------------------------------------------------------------------- floors


def test_floors_and_libraries_keep_to_their_contracts(monkeypatch, capsys):
    from importlinter.cli import lint_imports

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [*sys.path])  # it adds the working directory
    status = lint_imports(config_filename=str(ROOT / "setup.cfg"), no_cache=True, no_logo=True)
    assert status == 0, capsys.readouterr().out


def absolute_imports(path):
    """Yield (line, dotted name) of everything a file imports, relative imports made absolute."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            source = ".".join(part for part in (base, node.module) if part)
            yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)


def test_other_floors_are_used_through_their_public_names_only():
    ground = {path.stem for path in PACKAGE.glob("_*.py")}  # floor 0, for all
    found = []
    for path in PACKAGE.glob("*/**/*.py"):
        own = path.relative_to(PACKAGE).parts[0]
        for line, name in absolute_imports(path):
            parts = name.split(".")
            if parts[0] != PACKAGE.name or len(parts) < 3 or parts[1] == own:
                continue
            if parts[1] not in ground and any(part.startswith("_") for part in parts[1:]):
                found.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not found


# ---------------------------------------------------------------------------- metadata


@pytest.fixture(scope="module")
def project():
    with open(ROOT / "pyproject.toml", "rb") as file:
        return tomllib.load(file)["project"]


def test_version_is_the_same_everywhere():
    version = sklearn_resnet_sc.__version__
    assert metadata.version("sklearn-resnet-sc") == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {version}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_dependencies_declare_an_oldest_version_and_constraints_pin_a_newer(project):
    from packaging.requirements import Requirement
    from packaging.version import Version

    pins = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            pins[normalised(name)] = Version(version)
    declared = [*project["dependencies"]]
    declared += [item for extra in project["optional-dependencies"].values() for item in extra]
    oldest = {}
    for requirement in map(Requirement, declared):
        if requirement.name in ("sklearn-resnet-sc", "setuptools"):
            continue
        (bound,) = requirement.specifier
        assert bound.operator == ">="
        oldest[requirement.name] = Version(bound.version)
        assert pins[normalised(requirement.name)] >= oldest[requirement.name]
    # scikit-learn 1.6 brought validate_data and tags; numba 0.61 is the first with Python 3.13.
    assert oldest["scikit-learn"] >= Version("1.6")
    assert oldest["numba"] >= Version("0.61")


def test_installing_the_package_alone_is_light(project):
    heavy = {"torch", "matplotlib", "pandas", "dask", "scikit-image", "pillow", "jinja2"}
    assert not heavy.intersection(re.match(r"[\w-]+", item)[0] for item in project["dependencies"])


def test_all_is_every_extra(project):
    extras = project["optional-dependencies"]
    named = re.search(r"\[(.*)\]", extras["all"][0])[1].split(",")
    assert sorted(named) == sorted(set(extras) - {"all"})


def source_files():
    """Every text file of the repository that is meant to be kept."""
    folders = ("sklearn_resnet_sc", "tests", "benchmarks", "examples", "doc", ".ci")
    ignored = {"__pycache__", "_build", "generated", "auto_examples", "sg_execution_times.rst"}
    candidates = [path for path in ROOT.iterdir() if path.suffix != ".egg-info"]
    candidates += [path for folder in folders for path in (ROOT / folder).rglob("*")]
    for path in candidates:
        wanted = path.is_file() and not ignored.intersection(path.parts)
        if wanted and b"\0" not in path.read_bytes()[:8192]:
            yield path


def test_no_network_host_is_named():
    found = []
    for path in source_files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(r"\b(?:https?|ftp|ssh)://(?!localhost)|\bgit@\w", line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert not found


# ---------------------------------------------------------------------------- the wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of a copy of this tree, so that nothing is left in the tree itself."""
    copy = tmp_path_factory.mktemp("wheel") / "source"
    ignored = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info", "build", "dist", "_build")
    shutil.copytree(ROOT, copy, ignore=ignored)
    script = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    done = subprocess.run([sys.executable, "-c", script], cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = (copy / "dist").glob("*.whl")
    return path


def test_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        sizes = {item.filename: item.file_size for item in archive.infolist()}
    information = {name for name in names if ".dist-info/" in name}
    contents = names - information
    assert all(name.startswith("sklearn_resnet_sc/") for name in contents)
    assert not [name for name in contents if "test" in name or name.endswith((".npz", ".npy"))]
    modules = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*.py")}
    assert modules <= contents
    assert "sklearn_resnet_sc/py.typed" in contents
    assert any(name.endswith("/LICENSE") for name in information)
    assert sum(sizes.values()) < 2_000_000
