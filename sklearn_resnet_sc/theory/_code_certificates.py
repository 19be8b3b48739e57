"""The results of `certify`: arrays over signals that print as sentences."""

import math
from dataclasses import dataclass

import numpy as np

from ._checks import check_count
from ._statement import Statement, number, plural

THEOREMS = (
    "not certified",
    "the zero code",
    "independent atoms",
    "coherence",
    "Babel function",
    "spark",
    "coherence of its atoms",
)


@dataclass(frozen=True, eq=False, repr=False)
class LayerCertificate(Statement):
    """What is certain about the codes of one layer; arrays have one entry a signal.

    A competitor of a code is another code of the same signal, with at most as many
    atoms, or as many as `certify` was asked for, and no further from the signal than it was told.
    Distances that are not certified are infinite; noise radii that are not certified are zero.

    Attributes
    ----------
    layer : int
        Counted from 1, at the signal.
    n_components, n_features : int
        Size of the dictionary.
    coherence : float
        Its mutual coherence.
    spark_lower : int
        Its spark is at least this.
    n_nonzero : ndarray of int
        Atoms of each code.
    n_competing : ndarray of int
        Most atoms of a competitor.
    allowed : ndarray
        How far a competitor may be from the layer above: the noise, or the slack.
    unique_among : ndarray of int
        The code is the only one for what it represents, exactly, among codes of at most
        this many atoms; 0 where that is not certified.
    theorem : ndarray of int
        Index into ``THEOREMS`` of the simplest theorem that certifies uniqueness as asked;
        `theorem_names` spells it out.
    unique : ndarray of bool
        Whether uniqueness as asked is certified, given what the code represents.
    unique_from_signal : ndarray of bool
        Whether it is certified for the whole chain from the signal to this layer, or for
        the product of the dictionaries. Never where noise or slack is allowed, or codes leave
        a residual: then competitors are many.
    error_radius : ndarray
        No competitor is further away than this.
    error_radius_on_support : ndarray
        No code with the same support, and the same supports in the layers above, is
        further away than this.
    sigma_min : ndarray
        Lower bound on the smallest singular value of the atoms of the support.
    min_coefficient : ndarray
        Smallest non-zero absolute value; infinite for a zero code.
    support_margin : ndarray
        While both are within this distance of the layer above, every competitor has the
        same support; 0 where competitors may have more atoms.
    exact_recovery : ndarray
        ``max_{j not in T} ||D_T^+ d_j||_1``; below 1, OMP and basis pursuit find every code
        on this support.
    recovery_noise : ndarray
        OMP finds this support from what the code represents plus noise shorter than this.
    residual_norm : ndarray
        Distance of what the code represents from the layer above; nan without signals.
    lasso_unique : ndarray of bool or None
        Support and signs are those of the lasso's only minimiser; None without alpha or
        signals.
    lasso_noise_radius : ndarray or None
        They stay so under input noise shorter than this, which cannot be enlarged.
    lasso_error : ndarray or None
        Distance of the code from that minimiser.
    greedy_noise_radius : ndarray or None
        OMP with as many steps as atoms selects this support, and still does under input
        noise shorter than this; None where alpha is given or signals are not.
    """

    layer: int
    n_components: int
    n_features: int
    coherence: float
    spark_lower: int
    n_nonzero: np.ndarray
    n_competing: np.ndarray
    allowed: np.ndarray
    unique_among: np.ndarray
    theorem: np.ndarray
    unique: np.ndarray
    unique_from_signal: np.ndarray
    error_radius: np.ndarray
    error_radius_on_support: np.ndarray
    sigma_min: np.ndarray
    min_coefficient: np.ndarray
    support_margin: np.ndarray
    exact_recovery: np.ndarray
    recovery_noise: np.ndarray
    residual_norm: np.ndarray
    lasso_unique: np.ndarray | None
    lasso_noise_radius: np.ndarray | None
    lasso_error: np.ndarray | None
    greedy_noise_radius: np.ndarray | None

    @property
    def theorem_names(self):
        """The theorem behind each code's uniqueness, in words."""
        return np.array(THEOREMS)[self.theorem]

    def __str__(self):
        return "\n".join(self._sentences())

    def _sentences(self):
        total = len(self.n_nonzero)
        yield (
            f"Layer {self.layer}: {plural(total, 'code')} of {self.n_nonzero.min()} to "
            f"{self.n_nonzero.max()} atoms, from {self.n_components} atoms in "
            f"{plural(self.n_features, 'dimension')} (mu = {number(self.coherence)}, spark at "
            f"least {self.spark_lower})."
        )
        counts = np.bincount(self.theorem, minlength=len(THEOREMS))
        if counts[0] == total:
            yield "Uniqueness is not certified for any code."
        else:
            by = ", ".join(
                f"{count} by {name}"
                for name, count in zip(THEOREMS[1:], counts[1:], strict=True)
                if count
            )
            rest = f"; {counts[0]} not certified" if counts[0] else ""
            yield f"The only code for what it represents: {total - counts[0]} ({by}){rest}."
        if self.layer > 1:
            chain = np.count_nonzero(self.unique_from_signal)
            yield f"Unique all the way from the signal: {chain}."
        rivals = "at most as many atoms"
        if (self.n_competing > self.n_nonzero).any():
            rivals = f"at most {plural(int(self.n_competing.max()), 'atom')}"
        yield (
            f"Competitors have {rivals} and are within {number(float(self.allowed.max()))} of the "
            f"{'signal' if self.layer == 1 else 'layer above'}."
        )
        yield _radius("any competitor", self.error_radius)
        yield _radius("a code with the same support", self.error_radius_on_support)
        recovered = int(np.count_nonzero(self.exact_recovery < 1))
        yield f"The exact recovery condition holds for {recovered} of {total} supports."
        if self.greedy_noise_radius is not None:
            yield _margin("OMP selects this support", self.greedy_noise_radius)
        if self.lasso_noise_radius is not None:
            yield _margin("The lasso's only minimiser has this support", self.lasso_noise_radius)

    def _describe(self, signal):
        """Sentences about one signal."""
        s, among = int(self.n_nonzero[signal]), int(self.unique_among[signal])
        name = THEOREMS[self.theorem[signal]]
        start = f"Layer {self.layer}, signal {signal}, {plural(s, 'atom')}:"
        if self.unique[signal]:
            yield (
                f"{start} the only code for what it represents among all of at most "
                f"{plural(among, 'atom')} (by {name})."
            )
        else:
            yield f"{start} uniqueness is not certified."
        most, length = int(self.n_competing[signal]), number(float(self.allowed[signal]))
        above = "signal" if self.layer == 1 else "layer above"
        sparse = "as sparse" if most == s else f"of at most {plural(most, 'atom')}"
        for who, values in (
            (f"Any other code {sparse} within {length} of the {above}", self.error_radius),
            ("Any code on the same support", self.error_radius_on_support),
        ):
            length = float(values[signal])
            known = (
                "not certified to be near"
                if length == math.inf
                else f"within {number(length)} of this one"
            )
            yield f"{who} is {known}."
        if self.support_margin[signal] > 0:
            yield (
                f"Every code as sparse has the same support while both are within "
                f"{number(float(self.support_margin[signal]))} of the layer above."
            )
        coefficient = float(self.exact_recovery[signal])
        holds = "holds" if coefficient < 1 else "fails"
        yield f"The exact recovery condition {holds} ({number(coefficient)})."
        for pursuit, values in (
            ("OMP selects this support", self.greedy_noise_radius),
            ("The lasso's only minimiser has this support and signs", self.lasso_noise_radius),
        ):
            if values is not None:
                length = float(values[signal])
                yield (
                    f"{pursuit}, also with input noise shorter than {number(length)}."
                    if length > 0
                    else f"{pursuit}: not certified."
                )


def _radius(who, values):
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return f"The distance of {who} is not certified."
    rest = f"; not certified for {len(values) - finite.size}" if finite.size < len(values) else ""
    return (
        f"The distance of {who} is at most {number(float(np.median(finite)))} in the median, "
        f"{number(float(finite.max()))} at worst{rest}."
    )


def _margin(what, values):
    certain = values[values > 0]
    if certain.size == 0:
        return f"{what}: not certified for any code."
    return (
        f"{what}: {certain.size} of {len(values)} codes, stable under input noise up to "
        f"{number(float(np.median(certain)))} in the median."
    )


@dataclass(frozen=True, eq=False, repr=False)
class CodeCertificate(Statement):
    """What is certain about codes, signal by signal and layer by layer.

    Attributes
    ----------
    layers : tuple of LayerCertificate
        One for each dictionary, from the signal on.
    n_signals : int
        Number of signals.
    """

    layers: tuple
    n_signals: int

    def __str__(self):
        return "\n".join(str(layer) for layer in self.layers)

    def describe(self, signal):
        """Sentences about one signal in all layers.

        Parameters
        ----------
        signal : int
            Its row.

        Returns
        -------
        str
            One sentence a line.
        """
        signal = check_count(signal, "signal", low=0, high=self.n_signals - 1)
        return "\n".join(line for layer in self.layers for line in layer._describe(signal))

    def to_frame(self):
        """One row a signal and layer.

        Returns
        -------
        pandas.DataFrame
            Indexed by layer and signal; needs pandas.
        """
        import pandas as pd

        frames = []
        for layer in self.layers:
            columns = {
                name: values
                for name, values in vars(layer).items()
                if isinstance(values, np.ndarray)
            }
            frame = pd.DataFrame(columns | {"theorem": layer.theorem_names})
            frame["theorem"] = frame["theorem"].astype(pd.CategoricalDtype(THEOREMS))
            frames.append(frame.rename_axis(index="signal"))
        keys = [layer.layer for layer in self.layers]
        return pd.concat(frames, keys=keys, names=["layer"])
