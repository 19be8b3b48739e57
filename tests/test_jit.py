"""The kernel decorator: compiled kernels expire with the helpers that they hold."""

import importlib
import os
import sys

HELPER = """
from sklearn_resnet_sc._jit import kernel

@kernel
def helper(x):
    return x + {}
"""
CALLER = """
from sklearn_resnet_sc._jit import kernel
from kernels_of_a_test.helper import helper

@kernel
def caller(x):
    return helper(x)
"""


def load():
    """Import the little package anew; its kernel ``caller``."""
    from sklearn_resnet_sc import _jit

    _jit._state_of.cache_clear()
    for name in [name for name in sys.modules if name.startswith("kernels_of_a_test")]:
        del sys.modules[name]
    importlib.invalidate_caches()
    return importlib.import_module("kernels_of_a_test.caller").caller


def test_a_cached_kernel_expires_with_its_helper(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    folder = tmp_path / "kernels_of_a_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "caller.py").write_text(CALLER)
    (folder / "helper.py").write_text(HELPER.format(1))
    first = load()
    assert first(1) == 2
    again = load()
    assert again(1) == 2
    assert sum(again.stats.cache_hits.values()) == 1
    (folder / "helper.py").write_text(HELPER.format(100))
    os.utime(folder / "helper.py", (1, 1))
    assert load()(1) == 101
