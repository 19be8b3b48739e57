"""The codes of one layer: what the dictionary, the supports and the signals say of them."""

import math

import numpy as np

from ._code_certificates import THEOREMS, LayerCertificate
from ._coherence import mutual_coherence
from ._isometry import isometry_table
from ._signal_certificates import greedy_noise_radius, lasso_certificates
from ._spark import atom_weights, below_one, spark_lower_bounds
from ._spectra import default_rtol
from ._statement import frozen_array
from ._supports import SizeGroup, groups_by_size, row_lengths, support_geometry


class LayerCodes:
    """One dictionary and its codes: everything that needs no signal."""

    def __init__(self, dictionary, codes, wanted, spark, n_jobs, *, recovery=True):
        self.dictionary, self.codes, self.n_jobs = dictionary, codes, n_jobs
        n_components = len(dictionary)
        # Powers of two lose nothing, and keep squares in range.
        self.exponent = int(np.frexp(np.abs(dictionary).max())[1])
        self.atoms = np.ldexp(dictionary, -self.exponent).astype(np.float64)
        self.lengths = np.linalg.norm(self.atoms, axis=1)
        self.counts = np.diff(codes.indptr)
        n_signals = len(self.counts)
        scaled_sigma = np.full(n_signals, math.inf)
        self.recovery = np.zeros(n_signals)
        self.smallest = np.full(n_signals, math.inf)
        self.groups = list(groups_by_size(codes))
        rtol = default_rtol(dictionary)
        for group in self.groups:
            geometry = support_geometry(
                self.atoms, self.lengths, group.atoms, rtol, n_jobs, recovery=recovery
            )
            scaled_sigma[group.rows] = geometry.sigma_min
            self.recovery[group.rows] = geometry.exact_recovery
            self.smallest[group.rows] = np.abs(group.values).min(axis=1)
        self.scaled_sigma = scaled_sigma
        self.sigma_min = np.ldexp(scaled_sigma, self.exponent)
        # A competitor has at most so many atoms, and differs from the code in no more than both.
        self.rivals = np.minimum(np.maximum(self.counts, wanted or 0), n_components)
        pairs = np.minimum(self.counts + self.rivals, n_components)
        lower = isometry_table(self.atoms.astype(dictionary.dtype), int(pairs.max()))[0]
        self.isometry = np.ldexp(np.sqrt(lower), self.exponent)[pairs]
        self._certify_uniqueness(spark)

    def _certify_uniqueness(self, spark):
        bounds = spark_lower_bounds(self.dictionary)
        if spark is not None:
            bounds["spark"] = spark
        self.spark_lower = max(bounds.values())
        # The two codes have together fewer atoms than the spark; or there are fewer at all.
        n_components = len(self.dictionary)
        bounds = {
            theorem: np.where(bound > n_components, n_components, bound - 1 - self.counts)
            for theorem, bound in bounds.items()
        }
        bounds["coherence of its atoms"] = self._by_weights()
        bounds["the zero code"] = np.where(self.counts == 0, self.spark_lower - 1, -1)
        self.theorem = np.zeros(len(self.counts), dtype=np.int8)
        best = np.zeros(len(self.counts), dtype=np.int64)
        for index, theorem in reversed(list(enumerate(THEOREMS))):
            if theorem in bounds:
                among = bounds[theorem]
                self.theorem[among >= self.rivals] = index
                best = np.maximum(best, among)
        # No code has more atoms than there are.
        best = np.minimum(best, n_components)
        self.unique = self.theorem > 0
        self.unique_among = np.where(best >= np.maximum(self.counts, 1), best, 0)

    def _by_weights(self):
        """How many atoms a competitor may have, by the weights of the atoms in use."""
        weights = atom_weights(self.dictionary)
        order = np.argsort(-weights, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        # More atoms than dimensions are always dependent.
        n_heaviest = min(len(weights), self.dictionary.shape[1] + 1)
        among = np.full(len(self.counts), -1)
        for group in self.groups:
            own = weights[group.atoms].sum(axis=1)
            passing = np.flatnonzero(below_one(own))
            if passing.size == 0:
                continue
            outside = np.tile(weights[order[:n_heaviest]], (len(passing), 1))
            column = place[group.atoms[passing]]
            row, member = np.nonzero(column < n_heaviest)
            outside[row, column[row, member]] = 0
            # A weight of zero, of an orthogonal atom or one of the support, adds no atom.
            sums = own[passing, None] + np.cumsum(outside, axis=1)
            counted = np.cumsum(outside > 0, axis=1)
            allowed = np.where(below_one(sums), counted, 0).max(axis=1)
            among[group.rows[passing]] = allowed
        return among

    def distance_from(self, above):
        """Length of what the codes leave of the layer above, each; None if it is unknown."""
        if above is None:
            return None
        what = self.codes.astype(np.float64) @ self.atoms
        what = np.ldexp(what, self.exponent)
        what -= above if isinstance(above, np.ndarray) else above.toarray()
        return row_lengths(what)

    def certificate(self, number, state, distance, above, alpha):
        n_signals = len(self.counts)
        with np.errstate(over="ignore", invalid="ignore"):
            margin = np.where(self.counts > 0, self.isometry * self.smallest / 2, math.inf)
            margin[self.rivals > self.counts] = 0  # one with more atoms has another support
            strength = np.square(self.scaled_sigma) * self.smallest / (2 * self.lengths.max())
            bears = np.where(self.recovery < 1, (1 - self.recovery) * strength, 0)
        lasso, greedy = self._pursuits(above, alpha)
        return LayerCertificate(
            layer=number,
            n_components=self.dictionary.shape[0],
            n_features=self.dictionary.shape[1],
            coherence=mutual_coherence(self.dictionary),
            spark_lower=self.spark_lower,
            n_nonzero=frozen_array(self.counts),
            n_competing=frozen_array(self.rivals),
            allowed=frozen_array(state.between),
            unique_among=frozen_array(self.unique_among),
            theorem=frozen_array(self.theorem),
            unique=frozen_array(self.unique),
            unique_from_signal=frozen_array(state.unique),
            error_radius=frozen_array(state.radius),
            error_radius_on_support=frozen_array(state.radius_on_support),
            sigma_min=frozen_array(self.sigma_min),
            min_coefficient=frozen_array(self.smallest),
            support_margin=frozen_array(margin),
            exact_recovery=frozen_array(self.recovery),
            recovery_noise=frozen_array(np.ldexp(bears, self.exponent)),
            residual_norm=frozen_array(
                np.full(n_signals, math.nan) if distance is None else distance
            ),
            lasso_unique=None if lasso is None else frozen_array(lasso[0]),
            lasso_noise_radius=None if lasso is None else frozen_array(lasso[1]),
            lasso_error=None if lasso is None else frozen_array(lasso[2]),
            greedy_noise_radius=None if greedy is None else frozen_array(greedy),
        )

    def _pursuits(self, above, alpha):
        if above is None:
            return None, None
        n_signals = len(self.counts)
        signals = above if isinstance(above, np.ndarray) else above.toarray()
        # Dictionary and signals are brought to order one; codes and alpha go with them.
        size = int(np.frexp(np.abs(signals).max(initial=0))[1])
        signals = np.ldexp(signals, -size)
        empty = np.flatnonzero(self.counts == 0)
        nothing = SizeGroup(
            n_nonzero=0,
            rows=empty,
            atoms=np.zeros((len(empty), 0), dtype=np.intp),
            values=np.zeros((len(empty), 0)),
        )
        groups = [*self.groups, nothing] if empty.size else self.groups
        if alpha is None:
            greedy = np.zeros(n_signals)
            for group in groups:
                found = greedy_noise_radius(self.atoms, self.lengths, group, signals, self.n_jobs)
                greedy[group.rows] = np.ldexp(found, size)
            return None, greedy
        weight = math.ldexp(alpha, -size - self.exponent)
        unique, radius = np.zeros(n_signals, dtype=bool), np.zeros(n_signals)
        error = np.zeros(n_signals)
        for group in groups:
            group.values = np.ldexp(group.values, self.exponent - size)
            found = lasso_certificates(
                self.atoms,
                self.lengths,
                group,
                signals,
                weight,
                self.scaled_sigma[group.rows],
                self.n_jobs,
            )
            unique[group.rows] = found.unique
            radius[group.rows] = np.ldexp(found.noise_radius, size)
            error[group.rows] = np.ldexp(found.error, size - self.exponent)
        return (unique, radius, error), None
