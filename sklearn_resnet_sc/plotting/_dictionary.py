"""The atoms of a dictionary as small images."""

from math import ceil, isqrt
from numbers import Integral

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from ._matplotlib import get_axes


def _resolve_patch_size(patch_size, n_features):
    if patch_size is None:
        side = isqrt(n_features)
        if side * side != n_features:
            raise ValueError(
                f"patch_size must be given where atoms are not square; these have {n_features} "
                "features"
            )
        return side, side
    try:
        height, width = (int(length) for length in patch_size)
    except (TypeError, ValueError):
        height = width = 0
    if height < 1 or width < 1 or height * width != n_features:
        raise ValueError(
            "patch_size must be two integers (height, width) whose product is the number of "
            f"features, {n_features}; got {patch_size!r}"
        )
    return height, width


def _mosaic(dictionary, patch_size, n_columns):
    """Atoms as tiles with one pixel between them; NaN where there is no atom."""
    n_components = dictionary.shape[0]
    height, width = patch_size
    n_rows = ceil(n_components / n_columns)
    canvas = np.full((n_rows * (height + 1) + 1, n_columns * (width + 1) + 1), np.nan)
    # Each atom fills its own range, and zero stays the same grey in all of them.
    largest = np.abs(dictionary).max(axis=1, keepdims=True)
    tiles = np.divide(dictionary, largest, out=np.zeros_like(dictionary), where=largest > 0)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, n_columns)
        top, left = row * (height + 1) + 1, column * (width + 1) + 1
        canvas[top : top + height, left : left + width] = tile.reshape(patch_size)
    return canvas


class DictionaryDisplay:
    """Atoms of a dictionary as image tiles.

    Each atom is scaled by its largest absolute entry, so that zero has the same grey in
    every tile, and dark and bright show the two signs. It is recommended to use
    :meth:`from_estimator` or :meth:`from_dictionary`.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        One atom a row.
    patch_size : tuple of two int or None, default=None
        Height and width of an atom; ``None`` means square atoms.

    Attributes
    ----------
    dictionary : ndarray of shape (n_components, n_features)
        The atoms.
    patch_size : tuple of two int
        Height and width of an atom.
    ax_ : matplotlib Axes
        Axes with the mosaic, set by :meth:`plot`.
    figure_ : matplotlib Figure
        Figure that holds the axes, set by :meth:`plot`.
    image_ : matplotlib AxesImage
        The mosaic itself, set by :meth:`plot`.

    Raises
    ------
    ValueError
        If the dictionary is not a finite matrix, or ``patch_size`` does not fit it.

    See Also
    --------
    SpectrumDisplay : Singular spectra of dictionaries.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.plotting import DictionaryDisplay
    >>> display = DictionaryDisplay(np.eye(16))
    >>> display.patch_size
    (4, 4)
    >>> display.plot().image_.get_array().shape
    (21, 21)
    """

    def __init__(self, dictionary, *, patch_size=None):
        self.dictionary = check_array(
            dictionary, dtype=[np.float64, np.float32], input_name="dictionary"
        )
        self.patch_size = _resolve_patch_size(patch_size, self.dictionary.shape[1])

    def plot(self, ax=None, *, n_columns=None, cmap="gray", gap_color="#8fb3d9", title=None):
        """Draw the mosaic of atoms.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; ``None`` makes a new figure.
        n_columns : int or None, default=None
            Atoms in a row; ``None`` makes the mosaic about square.
        cmap : str or matplotlib Colormap, default="gray"
            Colours from the smallest to the largest entry.
        gap_color : matplotlib color, default="#8fb3d9"
            Colour between the tiles; by default a light blue, which no grey is taken for.
        title : str or None, default=None
            Title of the axes.

        Returns
        -------
        display : DictionaryDisplay
            The display itself, with ``ax_``, ``figure_`` and ``image_`` set.

        Raises
        ------
        ImportError
            If matplotlib is not installed (extra ``plot``).
        ValueError
            If ``n_columns`` is not a positive integer.
        """
        n_components = self.dictionary.shape[0]
        if n_columns is None:
            height, width = self.patch_size
            n_columns = ceil(np.sqrt(n_components * (height + 1) / (width + 1)))
        elif not isinstance(n_columns, Integral) or n_columns < 1:
            raise ValueError(f"n_columns must be a positive integer or None; got {n_columns!r}")
        ax, self.figure_ = get_axes(ax, "DictionaryDisplay")
        canvas = _mosaic(self.dictionary, self.patch_size, min(n_columns, n_components))
        ax.set_facecolor(gap_color)
        self.image_ = ax.imshow(
            np.ma.masked_invalid(canvas), cmap=cmap, vmin=-1, vmax=1, interpolation="nearest"
        )
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        if title is not None:
            ax.set_title(title)
        self.ax_ = ax
        return self

    @classmethod
    def from_dictionary(cls, dictionary, *, patch_size=None, ax=None, **plot_options):
        """Draw the atoms of a dictionary.

        Parameters
        ----------
        dictionary : array-like of shape (n_components, n_features)
            One atom a row.
        patch_size : tuple of two int or None, default=None
            Height and width of an atom; ``None`` means square atoms.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; ``None`` makes a new figure.
        **plot_options : dict
            Further options of :meth:`plot`.

        Returns
        -------
        display : DictionaryDisplay
            The display, drawn.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_resnet_sc.plotting import DictionaryDisplay
        >>> display = DictionaryDisplay.from_dictionary(np.eye(6), patch_size=(2, 3))
        >>> display.ax_.get_title()
        ''
        """
        return cls(dictionary, patch_size=patch_size).plot(ax, **plot_options)

    @classmethod
    def from_estimator(cls, estimator, *, patch_size=None, ax=None, **plot_options):
        """Draw the atoms ``components_`` of a fitted estimator.

        Parameters
        ----------
        estimator : estimator instance
            A fitted estimator with ``components_``.
        patch_size : tuple of two int or None, default=None
            Height and width of an atom; ``None`` means square atoms.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; ``None`` makes a new figure.
        **plot_options : dict
            Further options of :meth:`plot`.

        Returns
        -------
        display : DictionaryDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator has no ``components_`` yet.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sklearn.decomposition import PCA
        >>> from sklearn_resnet_sc.plotting import DictionaryDisplay
        >>> pca = PCA(n_components=10).fit(load_digits().data)
        >>> display = DictionaryDisplay.from_estimator(pca, title="Digits")
        >>> display.patch_size
        (8, 8)
        """
        check_is_fitted(estimator, "components_")
        return cls(estimator.components_, patch_size=patch_size).plot(ax, **plot_options)
