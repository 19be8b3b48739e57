"""What is certain about a dictionary: bounds and certificates, from matrices alone.

Dictionaries are ``(n_components, n_features)``: atoms are rows. Results are small
frozen dataclasses that print as sentences and have ``to_dict``.
"""

from ._activations import activation_slopes
from ._certificate import ResidualCertificate, Spectrum, residual_certificate
from ._certify import certify
from ._claims import Claim, ClaimTable, claims
from ._claims_tools import Predicate
from ._code_certificates import CodeCertificate, LayerCertificate
from ._coherence import average_coherence, babel, mutual_coherence, welch_bound
from ._density import SpectralDensity, spectral_density
from ._exact_recovery import ExactRecovery, exact_recovery_condition
from ._frames import DictionaryProperties, FrameBounds, dictionary_properties, frame_bounds
from ._isometry import RestrictedIsometry, restricted_isometry
from ._layered_pursuit import (
    LayeredPursuit,
    layered_basis_pursuit_bound,
    layered_thresholding_bound,
)
from ._layers import LayeredStability, layered_stability_bound
from ._operators import ExtremeSpectrum, extreme_singular_values
from ._propagation import (
    BiLipschitz,
    ErrorPropagation,
    bilipschitz_bound,
    error_propagation_bound,
)
from ._pursuit import (
    PursuitGuarantee,
    basis_pursuit_guarantee,
    lasso_guarantee,
    omp_guarantee,
)
from ._recovery import UniquenessBound, sparsity_from_coherence, uniqueness_bound
from ._residual import ResidualBounds, residual_bounds
from ._spark import Spark, spark
from ._spectra import (
    condition_number,
    effective_rank,
    numerical_rank,
    participation_ratio,
    singular_spectrum,
)
from ._stability import StabilityBound, stability_bound

__all__ = [
    "BiLipschitz",
    "Claim",
    "ClaimTable",
    "CodeCertificate",
    "DictionaryProperties",
    "ErrorPropagation",
    "ExactRecovery",
    "ExtremeSpectrum",
    "FrameBounds",
    "LayerCertificate",
    "LayeredPursuit",
    "LayeredStability",
    "Predicate",
    "PursuitGuarantee",
    "ResidualBounds",
    "ResidualCertificate",
    "RestrictedIsometry",
    "Spark",
    "SpectralDensity",
    "Spectrum",
    "StabilityBound",
    "UniquenessBound",
    "activation_slopes",
    "average_coherence",
    "babel",
    "basis_pursuit_guarantee",
    "bilipschitz_bound",
    "certify",
    "claims",
    "condition_number",
    "dictionary_properties",
    "effective_rank",
    "error_propagation_bound",
    "exact_recovery_condition",
    "extreme_singular_values",
    "frame_bounds",
    "lasso_guarantee",
    "layered_basis_pursuit_bound",
    "layered_stability_bound",
    "layered_thresholding_bound",
    "mutual_coherence",
    "numerical_rank",
    "omp_guarantee",
    "participation_ratio",
    "residual_bounds",
    "residual_certificate",
    "restricted_isometry",
    "singular_spectrum",
    "spark",
    "sparsity_from_coherence",
    "spectral_density",
    "stability_bound",
    "uniqueness_bound",
    "welch_bound",
]
