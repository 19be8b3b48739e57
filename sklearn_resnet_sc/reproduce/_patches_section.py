"""The section on image patches: the experiment of `_patches` as words, tables and figures."""

from ..plotting import DictionaryDisplay, SpectrumDisplay
from ..theory import singular_spectrum
from . import _patches
from ._patches_reading import promised_kappa, read_table, short
from ._section import Figure, Section, Statements, Table

NAME = "patches"


def count_steps(inputs):
    return _patches.count_steps(_patches.scale_of(inputs))


def run(inputs, advance, scale=None):
    experiment = _patches.run_experiment(inputs, advance, scale)
    return Section(
        name=NAME,
        title="Dictionaries of image patches, plain and residual",
        numbers=_numbers(experiment),
        introduction=_introduction(experiment),
        tables=[_main_table(experiment), _bound_table(experiment), _image_table(experiment)],
        reading=read_table(experiment),
        figures=[*_spectrum_figures(experiment), *_atom_figures(experiment)],
        statements=_statements(experiment),
    )


def _numbers(experiment):
    dictionaries = {}
    for key, result in experiment.results.items():
        numbers = {
            "n_components": result.arm.n_components,
            "shortcut": result.arm.shortcut,
            "learned": result.arm.learned,
            "psnr_at_5_atoms": result.psnr,
            "psnr_at_5_atoms_by_image": dict(result.psnr_by_image),
            "atoms_at_38_db": result.n_atoms,
            "atoms_at_38_db_by_image": dict(result.n_atoms_by_image),
            "share_at_38_db": result.reached,
            "mu": result.mu,
            "mu_avg": result.mu_avg,
            "frame_lower": result.frame_lower,
            "frame_upper": result.frame_upper,
            "rank": result.rank,
            "kappa": result.kappa,
            "kappa_on_span": result.kappa_on_span,
            "certified_nonzero": result.certified_nonzero,
        }
        if result.estimator is not None:
            numbers["n_sweeps"] = result.estimator.n_iter_
        if result.arm.shortcut is not None:
            certificate = result.estimator.certificate_
            numbers |= {
                "residual_bound": certificate.residual_bound,
                "residual_bound_kept": certificate.residual_bound_kept,
                "residual_norm": certificate.bounds.residual_norm,
                "shortcut_sigma_min": certificate.bounds.shortcut_sigma_min,
                "kappa_sum": certificate.sum_spectrum.condition_number,
                "kappa_sum_promised": promised_kappa(certificate),
                "kappa_sum_certified": certificate.bounds.condition_number_bound,
                "kappa_certified": certificate.components_condition_number_bound,
            }
        dictionaries[key] = numbers
    return {
        "n_train": experiment.n_train,
        "n_test_by_image": dict(experiment.n_test_by_image),
        "n_sweeps": experiment.scale.n_sweeps,
        "n_nonzero": _patches.N_NONZERO,
        "target_psnr": _patches.TARGET_PSNR,
        "max_nonzero": _patches.MAX_NONZERO,
        "dictionaries": dictionaries,
    }


def _introduction(experiment):
    n_test = sum(experiment.n_test_by_image.values())
    return [
        f"Each dictionary is learned from the same {experiment.n_train} patches of 8x8 pixels, "
        f"drawn at random from the training images, in at most {experiment.scale.n_sweeps} "
        f"sweeps of orthogonal matching pursuit with {_patches.N_NONZERO} atoms and a MOD update. "
        "A residual dictionary is a fixed shortcut P plus a learned R with "
        f"||R||_2 at most {_patches.RESIDUAL_BOUND} times the smallest singular value of P, its "
        "atoms scaled to unit length afterwards. All are learned for five atoms, none for "
        "38 dB.",
        f"All are then tried on {n_test} patches that do not overlap, of images none of them has "
        "seen. Every patch has lost its mean, flat ones are left out (as in Skretting and "
        "Engan, 2011), and the peak of the PSNR is 255.",
    ]


def _main_table(experiment):
    rows = [
        [
            result.arm.name,
            f"{result.psnr:.2f}",
            f"{result.n_atoms:.2f}",
            f"{100 * result.reached:.1f}",
            f"{result.mu:.3f}",
            short(result.frame_lower),
            short(result.frame_upper),
            short(result.kappa_on_span),
            str(result.rank),
        ]
        for result in experiment.results.values()
    ]
    return Table(
        caption="Held-out patches",
        columns=[
            "dictionary",
            "PSNR at\n5 atoms",
            "atoms at\n38 dB",
            "% at\n38 dB",
            "mu",
            "A",
            "B",
            "kappa",
            "rank",
        ],
        rows=rows,
        notes=[
            "PSNR at 5 atoms, in dB: orthogonal matching pursuit, all patches together.",
            "Atoms at 38 dB: orthogonal least squares until a patch's own error is at 38 dB, at "
            "most 32 atoms; the next column says how many patches got there.",
            "mu: coherence. A, B: frame bounds, the smallest eigenvalue of the unit-length atoms' "
            "frame operator that is not zero and the largest. kappa: condition number on the span "
            "of the atoms, the root of B/A. Patches without their mean span 63 dimensions only, "
            "so that atoms made of patches alone have rank 63.",
        ],
    )


def _bound_table(experiment):
    rows = []
    for result in experiment.results.values():
        if result.arm.shortcut is None:
            continue
        certificate = result.estimator.certificate_
        rows.append(
            [
                result.arm.name,
                f"{certificate.bounds.relative_norm:.3f}",
                short(certificate.sum_spectrum.condition_number),
                short(promised_kappa(certificate)),
                short(certificate.components_spectrum.condition_number),
                short(certificate.components_condition_number_bound),
            ]
        )
    return Table(
        caption="What is certified for the residual dictionaries",
        columns=[
            "dictionary",
            "||R|| /\nsigma_min(P)",
            "kappa of\nP + R",
            "promised:\nat most",
            "kappa of\nunit atoms",
            "certified:\nat most",
        ],
        rows=rows,
        notes=[
            f"Promised: by ||R||_2 <= {_patches.RESIDUAL_BOUND} sigma_min(P) alone, before any "
            "image is seen. Certified: the same for the R that was learned, times longest over "
            "shortest atom, because scaling the atoms to unit length can undo conditioning.",
        ],
    )


def _image_table(experiment):
    images = list(experiment.n_test_by_image)
    return Table(
        caption="PSNR at 5 atoms on each held-out image, in dB",
        columns=["dictionary", *images],
        rows=[
            [result.arm.name, *(f"{result.psnr_by_image[image]:.2f}" for image in images)]
            for result in experiment.results.values()
        ],
    )


def _spectrum_figures(experiment):
    figures = []
    for n_components in sorted({result.arm.n_components for result in experiment.results.values()}):
        spectra, intervals = {}, {}
        for result in experiment.results.values():
            if result.arm.n_components != n_components:
                continue
            name = result.arm.name.split(",")[0]
            if result.arm.shortcut is None:
                spectra[name] = singular_spectrum(result.dictionary)
                continue
            estimator = result.estimator
            spectra[name] = singular_spectrum(estimator.shortcut_ + estimator.residual_)
            shortcut = singular_spectrum(estimator.shortcut_)
            slack = estimator.residual_bound_ * shortcut[-1]
            intervals[name] = (shortcut - slack, shortcut + slack)
        figures.append(
            Figure(
                name=f"spectra_{n_components}",
                caption=(
                    f"Singular values with {n_components} atoms. Of residual dictionaries, "
                    "shortcut + residual is shown as it was learned, before its atoms are scaled "
                    "to unit length; the bound on R promises that they lie in the shaded band. "
                    "What is zero is left out."
                ),
                display=SpectrumDisplay(spectra, intervals=intervals),
                size=(7.0, 4.2),
                options={"title": f"{n_components} atoms of 8x8 pixels", "yscale": "log"},
            )
        )
    return figures


def _atom_figures(experiment):
    return [
        Figure(
            name=f"atoms_{key}",
            caption=f"PSNR {result.psnr:.2f} dB at 5 atoms.",
            display=DictionaryDisplay(result.dictionary, patch_size=_patches.PATCH_SIZE),
            size=(4.0, 4.2),
            options={"title": result.arm.name},
        )
        for key, result in experiment.results.items()
    ]


def _statements(experiment):
    return [
        Statements(result.arm.name, str(result.estimator.certificate_).splitlines())
        for result in experiment.results.values()
        if result.estimator is not None
    ]
