"""The one door to matplotlib: opened when something is drawn, never on import."""

import io
from contextlib import contextmanager


@contextmanager
def _naming_the_extra(task):
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"{task} needs matplotlib, which is not installed; "
            'install the extra "plot": pip install "sklearn-resnet-sc[plot]"'
        ) from error


def get_axes(ax, display):
    """The axes to draw on, new ones where ``ax`` is None, and their figure."""
    if ax is None:
        with _naming_the_extra(f"{display}.plot"):
            import matplotlib.pyplot as plt
        _, ax = plt.subplots()
    return ax, ax.figure


def render_png(display, *, size=(5.0, 4.0), dpi=150, **plot_options):
    """Draw a display into a PNG image, without a window and apart from pyplot.

    Parameters
    ----------
    display : DictionaryDisplay or SpectrumDisplay
        What to draw; its ``plot`` is called.
    size : tuple of two float, default=(5.0, 4.0)
        Width and height of the image in inches.
    dpi : float, default=150
        Pixels per inch.
    **plot_options : dict
        Options of the display's ``plot``.

    Returns
    -------
    png : bytes
        The image file.

    Raises
    ------
    ImportError
        If matplotlib is not installed (extra ``plot``).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.plotting import DictionaryDisplay, render_png
    >>> render_png(DictionaryDisplay(np.eye(16)), size=(2, 2))[1:4]
    b'PNG'
    """
    with _naming_the_extra("render_png"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    display.plot(figure.subplots(), **plot_options)
    stream = io.BytesIO()
    # The version of matplotlib would otherwise be written into the file.
    figure.savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    return stream.getvalue()
