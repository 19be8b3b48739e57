"""Displays of dictionaries; the only part of the package that needs matplotlib."""

from ._dictionary import DictionaryDisplay
from ._matplotlib import render_png
from ._spectrum import SpectrumDisplay

__all__ = ["DictionaryDisplay", "SpectrumDisplay", "render_png"]
