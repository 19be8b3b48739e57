import struct
import subprocess
import sys

import numpy as np
import pytest

from sklearn_resnet_sc.plotting import DictionaryDisplay, SpectrumDisplay, render_png

DISPLAYS = [DictionaryDisplay(np.eye(9)), SpectrumDisplay({"a": [2.0, 1.0]})]


@pytest.mark.parametrize("display", DISPLAYS)
def test_png_has_the_size_asked_for_and_leaves_no_figure(display):
    from matplotlib import pyplot as plt

    png = render_png(display, size=(3, 2), dpi=50, title="A title")
    assert png.startswith(b"\x89PNG")
    assert struct.unpack(">II", png[16:24]) == (150, 100)
    assert png == render_png(display, size=(3, 2), dpi=50, title="A title")
    assert plt.get_fignums() == []


def test_importing_plotting_does_not_import_matplotlib():
    code = "import sys, sklearn_resnet_sc.plotting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("display", DISPLAYS)
def test_missing_matplotlib_names_the_extra(monkeypatch, display):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    for task in (display.plot, lambda: render_png(display)):
        with pytest.raises(ImportError, match=r"needs matplotlib.*sklearn-resnet-sc\[plot\]"):
            task()
