"""Results that print as sentences and travel as JSON."""

import dataclasses
import math

import numpy as np


class Statement:
    """Base of the result dataclasses of this floor."""

    def to_dict(self):
        """Return the fields as plain Python values that ``json`` accepts.

        Returns
        -------
        dict
            Nested results become dictionaries, arrays become lists, and numbers
            that are not finite become None.
        """
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


def _plain(value):
    if isinstance(value, Statement):
        return value.to_dict()
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def frozen_array(array):
    """A read-only copy, so that a frozen result stays as it was."""
    array = np.array(array)
    array.flags.writeable = False
    return array


def number(value):
    """Four significant digits; infinity in a word."""
    return "infinite" if value == math.inf else f"{value:.4g}"


def plural(count, noun):
    """``1 atom``, ``2 atoms``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
