"""Sphinx settings; the build needs no network."""

import os
import sys
from pathlib import Path

from sklearn.base import BaseEstimator

import sklearn_resnet_sc

sys.path.insert(0, str(Path(__file__).parent))

from claims_page import write_claims

write_claims(Path(__file__).parent / "generated" / "claims.inc")

os.environ.setdefault("MPLBACKEND", "Agg")

project = "sklearn_resnet_sc"
author = "The sklearn_resnet_sc developers"
project_copyright = f"2026, {author}"
release = version = sklearn_resnet_sc.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "auto_examples/*.ipynb", "auto_examples/*.py"]
default_role = "py:obj"

templates_path = ["_templates"]
autosummary_generate = True
# What every estimator, number or tuple has is described elsewhere.
autosummary_context = {"left_out": {*dir(BaseEstimator), *dir(int), *dir(tuple), "set_output"}}
autodoc_default_options = {"inherited-members": False}
numpydoc_show_class_members = False
numpydoc_use_plots = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "backreferences_dir": None,
    "download_all_examples": False,
    "remove_config_comments": True,
    "min_reported_time": 1,
    "show_memory": False,
    "abort_on_example_error": True,
    "capture_repr": ("_repr_html_",),  # and not where a figure's text lies in memory
}

html_theme = "alabaster"
html_theme_options = {
    "description": "Sparse coding and residual dictionaries with certificates",
    "fixed_sidebar": True,
    "page_width": "1080px",
}
html_sidebars = {"**": ["about.html", "navigation.html", "searchbox.html"]}
html_show_sourcelink = False
