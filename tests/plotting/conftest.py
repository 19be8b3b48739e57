import pytest
from matplotlib import pyplot as plt


@pytest.fixture(autouse=True)
def no_window_and_no_figure_left():
    plt.switch_backend("agg")
    yield
    plt.close("all")
