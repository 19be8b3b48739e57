"""What a learned stack serves for: codes of signals, and certificates of its dictionaries."""

import numpy as np
from scipy import sparse
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted

from ..theory import residual_certificate
from ._atom_sets import stack_of
from ._output import LayeredOutputMixin
from ._stack import scale_of

_BLOCK = 8192  # signals whose codes of all layers are dense at a time


class LearnedStackMixin(LayeredOutputMixin):
    """Storing what was learned, `transform` and certificates of `MultiLayerSparseCoder`."""

    def _keep(self, atoms, sets, coding, seen):
        """Store what was learned; `coding` is in the units of `seen`."""
        self._atoms, self._sets, self._seen = atoms, sets, seen
        self._fitted_coding, self._fitted_stack = coding.scaled(1 / seen.scale), stack_of(atoms)
        self.dictionaries_ = list(self._fitted_stack.dictionaries)
        self.residuals_ = [layer.residual for layer in atoms]
        self.alpha_, self.n_nonzero_coefs_ = self._fitted_coding.alpha, coding.n_nonzero
        self.n_components_, self.n_layers_ = self._fitted_stack.n_components, len(atoms)
        self.n_steps_ = seen.n_steps

    @property
    def _stack(self):
        check_is_fitted(self)
        return self._fitted_stack

    def _codes(self, X):
        """Codes of every layer of validated signals."""
        scale = scale_of(X)
        coding = self._fitted_coding.scaled(float(scale)).as_now(self)
        codes = coding.codes(X * scale, self._stack.astype(X.dtype), self.verbose)
        return [layer * (1 / scale) for layer in codes]

    def _encode(self, X):
        parts = [self._select(self._codes(X[rows])) for rows in gen_batches(len(X), _BLOCK)]
        if len(parts) == 1:
            return parts[0]
        return sparse.vstack(parts, format="csr") if self.sparse_output else np.concatenate(parts)

    @property
    def certificates_(self):
        """What is certain about each dictionary: a list of `ResidualCertificate`."""
        check_is_fitted(self)
        bound = self.residual_bound
        return [
            residual_certificate(None, dictionary)
            if residual is None
            else residual_certificate(
                np.eye(len(residual), dtype=residual.dtype), residual, residual_bound=bound
            )
            for dictionary, residual in zip(self.dictionaries_, self.residuals_, strict=True)
        ]
