"""What is certain about a dictionary: bounds and certificates, from matrices alone.

Dictionaries are ``(n_components, n_features)``: atoms are rows. Results are small
frozen dataclasses that print as sentences and have ``to_dict``.
"""

from ._activations import activation_slopes
from ._certificate import ResidualCertificate, Spectrum, residual_certificate
from ._claims import Claim, ClaimTable, claims
from ._claims_tools import Predicate
from ._coherence import average_coherence, babel, mutual_coherence, welch_bound
from ._frames import DictionaryProperties, FrameBounds, dictionary_properties, frame_bounds
from ._recovery import (
    ExactRecovery,
    UniquenessBound,
    exact_recovery_condition,
    sparsity_from_coherence,
    uniqueness_bound,
)
from ._residual import ResidualBounds, residual_bounds
from ._spectra import (
    condition_number,
    effective_rank,
    numerical_rank,
    participation_ratio,
    singular_spectrum,
)
from ._stability import StabilityBound, stability_bound

__all__ = [
    "Claim",
    "ClaimTable",
    "DictionaryProperties",
    "ExactRecovery",
    "FrameBounds",
    "Predicate",
    "ResidualBounds",
    "ResidualCertificate",
    "Spectrum",
    "StabilityBound",
    "UniquenessBound",
    "activation_slopes",
    "average_coherence",
    "babel",
    "claims",
    "condition_number",
    "dictionary_properties",
    "effective_rank",
    "exact_recovery_condition",
    "frame_bounds",
    "mutual_coherence",
    "numerical_rank",
    "participation_ratio",
    "residual_bounds",
    "residual_certificate",
    "singular_spectrum",
    "sparsity_from_coherence",
    "stability_bound",
    "uniqueness_bound",
    "welch_bound",
]
