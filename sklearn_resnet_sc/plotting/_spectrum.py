"""Singular spectra of dictionaries and the intervals a certificate puts around them."""

from collections.abc import Mapping

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from ..theory import singular_spectrum
from ._matplotlib import get_axes


def _as_named(values, name):
    named = dict(values) if isinstance(values, Mapping) else dict(enumerate(values, start=1))
    if not named:
        raise ValueError(f"{name} must hold at least one entry; got none")
    return named


def _check_interval(interval, name, n_values):
    try:
        lower, upper = (np.asarray(bound, dtype=float) for bound in interval)
    except (TypeError, ValueError):
        lower = upper = np.empty(0)
    if lower.shape != (n_values,) or upper.shape != (n_values,) or not (lower <= upper).all():
        raise ValueError(
            f"intervals[{name!r}] must be a pair (lower, upper) of arrays with {n_values} entries "
            "each, lower <= upper"
        )
    return lower, upper


def _certified_interval(shortcut, residual_bound):
    """Where the singular values of shortcut + residual lie for every residual allowed (A8)."""
    spectrum = singular_spectrum(shortcut)
    slack = residual_bound * spectrum[-1]
    return spectrum - slack, spectrum + slack


def _equal(intervals):
    """Names grouped by interval, those whose intervals are equal to rounding together."""
    groups = []
    for name, interval in intervals.items():
        for group in groups:
            other = intervals[group[0]]
            if interval[0].size == other[0].size and np.allclose(interval, other, rtol=1e-9):
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


class SpectrumDisplay:
    """Singular values of several dictionaries, and the intervals certified for them.

    For a shortcut ``P`` of full rank and a residual with
    ``||R||_2 <= rho sigma_min(P)``, Weyl's inequality puts every singular value of
    ``P + R`` into ``sigma_i(P) -+ rho sigma_min(P)``; that interval is shaded. It is
    recommended to use :meth:`from_estimator` or :meth:`from_dictionaries`.

    Parameters
    ----------
    spectra : mapping of str to array-like, or sequence of array-like
        Singular values by name, each in non-increasing order. A sequence is named 1, 2, ...
    intervals : mapping of str to (lower, upper) or None, default=None
        Pairs of arrays, as long as the spectrum of that name, to be shaded.

    Attributes
    ----------
    spectra : dict of str to ndarray
        The singular values.
    intervals : dict of str to tuple of ndarray
        The intervals.
    ax_ : matplotlib Axes
        Axes with the spectra, set by :meth:`plot`.
    figure_ : matplotlib Figure
        Figure that holds the axes, set by :meth:`plot`.
    lines_ : dict of str to matplotlib Line2D
        One line for each spectrum, set by :meth:`plot`.
    bands_ : dict of str to matplotlib artist
        The shaded band of each interval, set by :meth:`plot`; equal intervals share one.

    Raises
    ------
    ValueError
        If a spectrum is not finite, non-negative and non-increasing, or an interval belongs
        to no spectrum or does not fit it.

    See Also
    --------
    DictionaryDisplay : The atoms as image tiles.

    Examples
    --------
    >>> from sklearn_resnet_sc.plotting import SpectrumDisplay
    >>> intervals = {"residual": ([0.5, 0.5], [1.5, 1.5])}
    >>> display = SpectrumDisplay({"residual": [1.2, 0.9]}, intervals=intervals)
    >>> sorted(display.plot().lines_)
    ['residual']
    """

    def __init__(self, spectra, *, intervals=None):
        self.spectra = {}
        for name, spectrum in _as_named(spectra, "spectra").items():
            spectrum = check_array(
                spectrum, dtype=np.float64, ensure_2d=False, input_name=f"spectra[{name!r}]"
            )
            if spectrum.ndim != 1 or spectrum.min() < 0 or (np.diff(spectrum) > 0).any():
                raise ValueError(
                    f"spectra[{name!r}] must be singular values: one-dimensional, non-negative and "
                    "in non-increasing order"
                )
            self.spectra[name] = spectrum
        self.intervals = {}
        for name, interval in (intervals or {}).items():
            if name not in self.spectra:
                raise ValueError(
                    f"intervals must be named as the spectra, {list(self.spectra)}; got {name!r}"
                )
            self.intervals[name] = _check_interval(interval, name, self.spectra[name].size)

    def plot(self, ax=None, *, yscale="linear", title=None):
        """Draw the spectra as lines and the intervals as shaded bands.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; ``None`` makes a new figure.
        yscale : {"linear", "log"}, default="linear"
            Scale of the singular values. One that is zero to rounding has no place on a
            logarithmic axis and is left out there.
        title : str or None, default=None
            Title of the axes.

        Returns
        -------
        display : SpectrumDisplay
            The display itself, with ``ax_``, ``figure_``, ``lines_`` and ``bands_`` set.

        Raises
        ------
        ImportError
            If matplotlib is not installed (extra ``plot``).
        """
        ax, self.figure_ = get_axes(ax, "SpectrumDisplay")
        self.lines_, self.bands_ = {}, {}
        # Dashes tell lines apart where they lie on one another or are printed in grey.
        dashes = ["-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (3, 1, 1, 1, 1, 1))]
        for position, (name, spectrum) in enumerate(self.spectra.items()):
            index = np.arange(1, spectrum.size + 1)
            if yscale == "log":
                rounding = spectrum.size * np.finfo(spectrum.dtype).eps * spectrum[0]
                spectrum = np.where(spectrum > rounding, spectrum, np.nan)
            (line,) = ax.plot(
                index, spectrum, label=str(name), linestyle=dashes[position % len(dashes)]
            )
            self.lines_[name] = line
        for names in _equal(self.intervals):
            lower, upper = self.intervals[names[0]]
            band = ax.fill_between(
                np.arange(1, lower.size + 1),
                lower,
                upper,
                # A band that belongs to several lines has the colour of none.
                color=self.lines_[names[0]].get_color() if len(names) == 1 else "gray",
                alpha=0.15,
                linewidth=0,
                label=f"certified for {', '.join(map(str, names))}",
            )
            self.bands_.update(dict.fromkeys(names, band))
        ax.set_yscale(yscale)
        if yscale == "linear":
            ax.set_ylim(bottom=0)
        ax.set(xlabel="index of the singular value", ylabel="singular value")
        if title is not None:
            ax.set_title(title)
        ax.legend()
        self.ax_ = ax
        return self

    @classmethod
    def from_dictionaries(
        cls, dictionaries, *, shortcuts=None, residual_bound=None, ax=None, **plot_options
    ):
        """Draw the singular spectra of dictionaries.

        Parameters
        ----------
        dictionaries : mapping of str to array-like, or sequence of array-like
            Dictionaries of shape (n_components, n_features) by name.
        shortcuts : mapping of str to array-like or None, default=None
            Shortcut ``P`` of those dictionaries that are ``P + R``, *before* their atoms are
            scaled to unit length: the certified interval is about ``P + R`` itself.
        residual_bound : float or None, default=None
            The ``rho`` in ``||R||_2 <= rho sigma_min(P)``; needed with ``shortcuts``.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; ``None`` makes a new figure.
        **plot_options : dict
            Further options of :meth:`plot`.

        Returns
        -------
        display : SpectrumDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If ``shortcuts`` is given without ``residual_bound`` in (0, 1).

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_resnet_sc.plotting import SpectrumDisplay
        >>> residual = 0.3 * np.ones((3, 3)) / 3
        >>> display = SpectrumDisplay.from_dictionaries(
        ...     {"I": np.eye(3), "I + R": np.eye(3) + residual},
        ...     shortcuts={"I + R": np.eye(3)},
        ...     residual_bound=0.3,
        ... )
        >>> display.intervals["I + R"][0].tolist()
        [0.7, 0.7, 0.7]
        """
        intervals = {}
        if shortcuts:
            if residual_bound is None or not 0 < residual_bound < 1:
                raise ValueError(
                    f"residual_bound must lie in (0, 1) with shortcuts; got {residual_bound!r}"
                )
            intervals = {
                name: _certified_interval(shortcut, residual_bound)
                for name, shortcut in shortcuts.items()
            }
        spectra = {
            name: singular_spectrum(dictionary)
            for name, dictionary in _as_named(dictionaries, "dictionaries").items()
        }
        return cls(spectra, intervals=intervals).plot(ax, **plot_options)

    @classmethod
    def from_estimator(cls, estimator, *, name="P + R", ax=None, **plot_options):
        """Draw the singular spectrum of a fitted estimator's dictionary.

        With a shortcut, the spectrum is that of ``shortcut_ + residual_``, the matrix the
        certificate speaks of, with its certified interval; otherwise that of ``components_``.

        Parameters
        ----------
        estimator : estimator instance
            A fitted :class:`~sklearn_resnet_sc.learning.ResidualDictionaryLearning`, or any
            fitted estimator with ``components_``.
        name : str, default="P + R"
            Name of the spectrum in the legend.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; ``None`` makes a new figure.
        **plot_options : dict
            Further options of :meth:`plot`.

        Returns
        -------
        display : SpectrumDisplay
            The display, drawn.

        Raises
        ------
        NotFittedError
            If the estimator has no ``components_`` yet.

        Examples
        --------
        >>> from sklearn.datasets import load_digits
        >>> from sklearn.decomposition import PCA
        >>> from sklearn_resnet_sc.plotting import SpectrumDisplay
        >>> pca = PCA(n_components=10).fit(load_digits().data)
        >>> display = SpectrumDisplay.from_estimator(pca, name="PCA")
        >>> display.spectra["PCA"].shape
        (10,)
        """
        check_is_fitted(estimator, "components_")
        shortcut = getattr(estimator, "shortcut_", None)
        if shortcut is None:
            return cls.from_dictionaries({name: estimator.components_}, ax=ax, **plot_options)
        bound = estimator.residual_bound_
        return cls.from_dictionaries(
            {name: shortcut + estimator.residual_},
            shortcuts=None if bound is None else {name: shortcut},
            residual_bound=bound,
            ax=ax,
            **plot_options,
        )
