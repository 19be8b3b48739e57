"""What the table of `_patches` says, in sentences that follow from its numbers alone."""

import math

# A difference smaller than this is called none.
_SMALL_PSNR = 0.05
_SMALL_ATOMS = 0.05


def read_table(experiment):
    """One paragraph: what learning brings, what the bound costs, and what it buys."""
    results = experiment.results
    sentences = []
    for size in sorted({result.arm.n_components for result in results.values()}):
        arms = [result for result in results.values() if result.arm.n_components == size]
        fixed = next(result for result in arms if not result.arm.learned)
        plain = next(result for result in arms if result.arm.learned and not result.arm.shortcut)
        residual = [result for result in arms if result.arm.shortcut]
        sentences.append(_learning_against_fixed(size, plain, fixed))
        sentences.extend(_residual_against_plain(result, plain) for result in residual)
        sentences.append(_conditioning(size, plain, residual))
    sentences.append(_coherence(results.values()))
    sentences.append(_caution(experiment))
    return " ".join(sentences)


def _learning_against_fixed(size, plain, fixed):
    return (
        f"With {size} atoms, five of them in use, the plain learned dictionary "
        f"{_psnr_gap(plain.psnr - fixed.psnr)} the DCT of the same size "
        f"({plain.psnr:.2f} against {fixed.psnr:.2f} dB) and "
        f"{_atoms_gap(plain.n_atoms - fixed.n_atoms)} at 38 dB "
        f"({plain.n_atoms:.2f} against {fixed.n_atoms:.2f})."
    )


def _residual_against_plain(result, plain):
    gaps = [result.psnr_by_image[name] - plain.psnr_by_image[name] for name in plain.psnr_by_image]
    name = result.arm.name.split(",")[0]
    return (
        f"{name[0].upper()}{name[1:]} {_psnr_gap(result.psnr - plain.psnr)} that plain one "
        f"(image by image from {min(gaps):+.2f} to {max(gaps):+.2f} dB) and "
        f"{_atoms_gap(result.n_atoms - plain.n_atoms)}."
    )


def _psnr_gap(gap):
    if abs(gap) < _SMALL_PSNR:
        return "is level with"
    return f"is {abs(gap):.2f} dB {'better' if gap > 0 else 'worse'} than"


def _atoms_gap(gap):
    if abs(gap) < _SMALL_ATOMS:
        return "needs as many atoms"
    return f"needs {abs(gap):.2f} atoms {'more' if gap > 0 else 'fewer'}"


def _conditioning(size, plain, residual):
    names = [result.arm.name.split(",")[0] for result in residual]
    measured = [short(result.kappa_on_span) for result in residual]
    sums = [result.estimator.certificate_.sum_spectrum.condition_number for result in residual]
    promised = [promised_kappa(result.estimator.certificate_) for result in residual]
    return (
        f"The plain dictionary of {size} atoms has rank {plain.rank} and on its span the condition "
        f"number {short(plain.kappa_on_span)}; of {_join(names)} it is {_join(measured)} after "
        f"scaling to unit length, and {_join([short(value) for value in sums])} before, where the "
        f"bound on R promises at most {_join(sorted({short(value) for value in promised}))}."
    )


def _coherence(results):
    over = [result for result in results if result.arm.n_components > result.dictionary.shape[1]]
    counts = sorted({result.certified_nonzero for result in over})
    certified = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return (
        f"Coherence certifies that codes are unique only up to {certified} "
        f"{'atom' if counts[-1] == 1 else 'atoms'} in the dictionaries with more atoms than "
        "pixels, far from the number in use here: what the bound on R buys is rank and "
        "conditioning, not uniqueness."
    )


def _caution(experiment):
    n_images = len(experiment.n_test_by_image)
    least = min(result.reached for result in experiment.results.values())
    return (
        f"At 38 dB the averages include patches that do not get there with 32 atoms (up to "
        f"{100 * (1 - least):.0f} percent of them). All this is one draw of training patches and "
        f"{n_images} held-out {'image' if n_images == 1 else 'images'}: trust a difference that "
        f"has one sign on all of them, and not one that changes from image to image."
    )


def promised_kappa(certificate):
    """What the bound alone promises for the condition number of P + R (Weyl)."""
    smallest, largest = certificate.bounds.shortcut_sigma_min, certificate.bounds.shortcut_sigma_max
    slack = certificate.residual_bound * smallest
    return (largest + slack) / (smallest - slack)


def short(value):
    """Three digits, for readers."""
    if math.isinf(value):
        return "inf"
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def _join(parts):
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
