"""Which layers' codes a transformer gives, under which names, and signals from codes."""

from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.base import TransformerMixin
from sklearn.utils import check_array, gen_batches
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from ._training_signals import weighted_signals

_SCORE_ROWS = 8192

OUTPUT_CONSTRAINT = [StrOptions({"last", "concat"}), Integral]


class LayeredOutputMixin(TransformerMixin):
    """`transform`, `inverse_transform`, `score` and feature names of a stack of dictionaries.

    The estimator has the parameters ``output``, ``sparse_output``, the property ``_stack``
    (a `Stack`) and the method ``_codes(X)``: from validated signals the codes of every
    layer, dense or CSR. Where these would fill memory, it has an ``_encode`` of its own.
    """

    @property
    def _chosen_layers(self):
        """Layers of the output, counted from 0."""
        n_layers = len(self._stack)
        self._check_output(n_layers)
        if self.output == "concat":
            return list(range(n_layers))
        return [n_layers - 1 if self.output == "last" else range(n_layers)[self.output]]

    def _check_output(self, n_layers):
        if not isinstance(self.output, str) and not -n_layers <= self.output < n_layers:
            raise ValueError(
                f'output must be "last", "concat" or the index of one of {n_layers} layers, '
                f"{-n_layers} to {n_layers - 1}; got {self.output}."
            )

    @property
    def _n_features_out(self):
        """Number of transformed output features."""
        sizes = self._stack.n_components
        return sum(sizes[layer] for layer in self._chosen_layers)

    def _check_signals(self, X, *, reset=False):
        return validate_data(self, X, reset=reset, dtype=[np.float64, np.float32])

    def transform(self, X):
        """Codes of signals.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Signals.

        Returns
        -------
        ndarray or CSR of shape (n_samples, n_features_out)
            Codes of the deepest layer, of another, or of all side by side, first layer
            first; see the parameter `output`.
        """
        check_is_fitted(self)
        X = self._check_signals(X)
        return self._encode(X)

    def _encode(self, X):
        """Codes of the output, of validated signals."""
        return self._select(self._codes(X))

    def _select(self, codes):
        """Of the codes of every layer those of the output."""
        chosen = [codes[layer] for layer in self._chosen_layers]
        if self.sparse_output:
            chosen = [sparse.csr_array(layer) for layer in chosen]
            return chosen[0] if len(chosen) == 1 else sparse.hstack(chosen, format="csr")
        chosen = [layer.toarray() if sparse.issparse(layer) else layer for layer in chosen]
        return chosen[0] if len(chosen) == 1 else np.hstack(chosen)

    def inverse_transform(self, X):
        """Signals from codes.

        Synthesis model: the codes of layer i times ``C_i ... C_1``. Forward model: the
        signals of least norm and squared error whose layer i, without thresholds, is as given.
        From the codes of all layers (``output="concat"``) the first layer's are used.

        Parameters
        ----------
        X : {array-like, CSR} of shape (n_samples, n_features_out)
            Codes, as `transform` returns them.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Signals.
        """
        check_is_fitted(self)
        codes = check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32])
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"X must have {self._n_features_out} columns, one per code; "
                f"got shape {codes.shape}."
            )
        return self._decode(codes)

    def _decode(self, codes):
        """Signals from codes of the output."""
        layer, stack = self._chosen_layers[0], self._stack
        effective = stack.effective[layer].astype(codes.dtype, copy=False)
        if stack.model == "forward":
            effective = np.linalg.pinv(effective)
        return np.asarray(codes[:, : stack.n_components[layer]] @ effective)

    def score(self, X, y=None, sample_weight=None):
        """Share of the signals' energy that `inverse_transform` gives back from their codes.

        ``1 - ||X - inverse_transform(transform(X))||_F^2 / ||X||_F^2``: 1 is perfect, 0 what
        zero codes reach. Compare at equal sparsity only.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Signals.
        y : None
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the signals in both sums; not negative.

        Returns
        -------
        float
            The score; higher is better.
        """
        check_is_fitted(self)
        X, weight, _ = weighted_signals(self._check_signals(X), sample_weight)
        largest = float(np.abs(X).max(initial=0))
        if largest == 0:
            return 1.0
        energy = lost = 0.0
        codes = self._encode(X)
        for rows in gen_batches(len(X), _SCORE_ROWS):
            signals = X[rows].astype(np.float64) / largest
            residual = signals - self._decode(codes[rows]) / largest
            energy += float(weight[rows] @ np.sum(signals**2, axis=1))
            lost += float(weight[rows] @ np.sum(residual**2, axis=1))
        return 1 - lost / energy

    def get_feature_names_out(self, input_features=None):
        """Names of the codes: class, layer (from 1) and number of the code in its layer.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Only checked against the names seen in `fit`.

        Returns
        -------
        ndarray of str objects
            For example ``"deepcodingsolver_layer2_0"``.
        """
        check_is_fitted(self)
        _check_feature_names_in(self, input_features, generate_names=False)
        name, sizes = type(self).__name__.lower(), self._stack.n_components
        return np.asarray(
            [
                f"{name}_layer{layer + 1}_{i}"
                for layer in self._chosen_layers
                for i in range(sizes[layer])
            ],
            dtype=object,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
