import pytest

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def no_window_and_no_figure_left():
    from matplotlib import pyplot as plt

    plt.switch_backend("agg")
    yield
    plt.close("all")
