"""Warnings that name the line of the user, whatever lies between."""

import inspect
import warnings

_INNER = ("sklearn_resnet_sc", "sklearn")  # packages; scikit-learn's wrappers and pipelines, too


def warn_user(message, category):
    """Warn from the nearest caller outside of this package and scikit-learn.

    Parameters
    ----------
    message : str
        What to say.
    category : type
        Of the warning.
    """
    frame, level = inspect.currentframe().f_back, 2
    while frame.f_back is not None and _package(frame) in _INNER:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _package(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0]
