"""How fast recursive least squares forgets: the schedules of Skretting and Engan."""

from dataclasses import dataclass
from numbers import Real

KINDS = {
    "constant": lambda progress: 1.0,
    "linear": lambda progress: max(1 - progress, 0.0),
    "quadratic": lambda progress: max(1 - progress, 0.0) ** 2,
    "cubic": lambda progress: max(1 - progress, 0.0) ** 3,
    "hyperbola": lambda progress: 1 / (1 + progress),
    "exponential": lambda progress: 0.5**progress,
}


@dataclass(frozen=True)
class Forgetting:
    """Schedule of the forgetting factor of recursive least squares dictionary learning.

    What was seen before the i-th signal is multiplied by ``lambda_i``, which rises from
    `start` towards 1: learning adapts quickly at first and averages in the end.

    Attributes
    ----------
    kind : {"constant", "linear", "quadratic", "cubic", "hyperbola", "exponential"}, \
            default="cubic"
        With ``t = i / horizon``, ``lambda_i = 1 - (1 - start) g(t)``:

        - ``"constant"``: g = 1. With ``start=1`` nothing is forgotten.
        - ``"linear"``, ``"quadratic"``, ``"cubic"``: ``max(1 - t, 0)`` to the power 1, 2, 3.
        - ``"hyperbola"``: ``1 / (1 + t)``.
        - ``"exponential"``: ``(1 / 2) ** t``.

    start : float, default=0.99
        The factor to begin with, in (0, 1].

    horizon : float, default=None
        Number of signals after which t is 1. ``None``: nine tenths of all signals that
        learning may look at, ``max_iter * n_samples``.

    Raises
    ------
    ValueError
        If the kind is unknown, or a number out of range.

    See Also
    --------
    sklearn_resnet_sc.learning.DictionaryLearning : With ``dictionary_update="rls"``.

    References
    ----------
    K. Skretting, K. Engan, "Recursive least squares dictionary learning algorithm",
    IEEE TSP 58 (2010), section III.

    Examples
    --------
    >>> from sklearn_resnet_sc.learning import Forgetting
    >>> forgetting = Forgetting("linear", start=0.9, horizon=100)
    >>> [round(forgetting(i), 3) for i in (0, 50, 100, 200)]
    [0.9, 0.95, 1.0, 1.0]
    """

    kind: str = "cubic"
    start: float = 0.99
    horizon: float | None = None

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {sorted(KINDS)}; got {self.kind!r}")
        if not isinstance(self.start, Real) or not 0 < self.start <= 1:
            raise ValueError(f"start must lie in (0, 1]; got {self.start!r}")
        if self.horizon is not None and not (isinstance(self.horizon, Real) and self.horizon > 0):
            raise ValueError(f"horizon must be positive or None; got {self.horizon!r}")

    def __call__(self, i):
        """The factor before the i-th signal, counted from 0.

        Parameters
        ----------
        i : int
            Number of signals seen.

        Returns
        -------
        float
            In (0, 1].
        """
        progress = 0.0 if self.horizon is None else i / self.horizon
        return 1 - (1 - self.start) * KINDS[self.kind](progress)
