"""The section on the paper's claims: verdicts, and its Figures 1 to 3 on a learned D."""

from collections import Counter

import numpy as np

from ..plotting import SpectrumDisplay
from ..theory import claims, residual_bounds
from . import _claims
from ._curves import Curves
from ._section import Figure, Section, Table

NAME = "claims"

_GRID = np.linspace(-0.05, 1.25, 261)


def count_steps(inputs):
    return _claims.N_STEPS


def run(inputs, advance):
    outcome = _claims.run_claims(inputs, advance)
    return Section(
        name=NAME,
        title="What the paper claims and what is true",
        numbers=_numbers(outcome),
        introduction=_introduction(outcome),
        tables=[_claims_table(outcome), _spectra_table(outcome), _activation_table(outcome)],
        reading=_reading(outcome),
        figures=_figures(outcome),
    )


def _numbers(outcome):
    matrices = {}
    for which in ("linear", "residual"):
        kappa, ratio = outcome.summary(which)
        sigma = getattr(outcome, which)
        matrices[which] = {
            "kappa": kappa,
            "participation_ratio": ratio,
            "sigma_max": float(sigma[0]),
            "sigma_min": float(sigma[-1]),
            "dimensions_for_90_percent": _dimensions(sigma),
        }
    return {
        "n_train": outcome.n_train,
        "rho": _claims.RHO,
        "claims": {
            claim.key: {
                "section": claim.section,
                "verdict": claim.verdict,
                "printed_holds_for_learned": outcome.holds.get(claim.key),
                "corrected_holds_for_learned": outcome.corrected.get(claim.key),
            }
            for claim in claims()
        },
        "matrices": matrices,
        "activations": {
            name: {
                "mean_slope": float(result.slopes.mean()),
                "least_slope": float(result.slopes[0]),
                "largest_slope": float(result.slopes[-1]),
                "least_squares_norm": float(result.least_squares[0]),
                "least_squares_misfit": result.misfit,
            }
            for name, result in outcome.activations.items()
        },
    }


def _dimensions(sigma):
    """How many of the largest singular values hold 90 % of the energy."""
    share = np.cumsum(sigma**2) / np.sum(sigma**2)
    return int(np.searchsorted(share, 0.9) + 1)


def _introduction(outcome):
    return [
        "Every claim of the paper's sections 1 and 2 was turned into a predicate, and many are "
        "false as printed. The last column asks the claims about a single matrix D whether they "
        "hold for one that was learned here: the residual of a dictionary of "
        f"{_claims.N_COMPONENTS} atoms with the identity as its shortcut, from "
        f"{outcome.n_train} patches, in {_claims.SWEEPS} sweeps without a bound on its norm, and "
        f"then scaled to ||D||_2 = {_claims.RHO}. A false claim may well hold for it; a dash "
        "means that the claim says nothing about it. Counterexamples and what is true instead: "
        "print(sklearn_resnet_sc.theory.claims()).",
    ]


def _claims_table(outcome):
    words = {True: "holds", False: "fails", None: "-"}
    return Table(
        caption="The claims",
        columns=["claim", "section", "verdict", "for the\nlearned D"],
        rows=[
            [
                f"{claim.key}  {claim.title}",
                claim.section,
                claim.verdict,
                words[outcome.holds.get(claim.key)],
            ]
            for claim in claims()
        ],
    )


def _spectra_table(outcome):
    rows = []
    for name, which in (("D", "linear"), ("I + D", "residual")):
        kappa, ratio = outcome.summary(which)
        sigma = getattr(outcome, which)
        rows.append(
            [
                name,
                f"{sigma[0]:.3f}",
                f"{sigma[-1]:.3f}",
                f"{kappa:.3g}",
                f"{ratio:.1f}",
                str(_dimensions(sigma)),
            ]
        )
    bounds = residual_bounds("identity", outcome.matrix)
    rows.append(
        [
            "certain for I + D",
            f"<= {bounds.sigma_upper:.3f}",
            f">= {bounds.sigma_lower:.3f}",
            f"<= {bounds.condition_number_bound:.3g}",
            f">= {bounds.participation_ratio_bound:.2g}",
            "-",
        ]
    )
    return Table(
        caption="D against I + D",
        columns=[
            "",
            "sigma\nmax",
            "sigma\nmin",
            "kappa",
            "participation\nratio",
            "dimensions\n90 %",
        ],
        rows=rows,
        notes=[
            "Participation ratio: (sum sigma^2)^2 / sum sigma^4, the number of dimensions that "
            "carry the energy. The last column: how many singular values hold 90 % of it.",
        ],
    )


def _activation_table(outcome):
    return Table(
        caption="The activation operator S on the outputs of D",
        columns=[
            "activation",
            "smallest\nslope",
            "mean\nslope",
            "largest\nslope",
            "norm of\none S",
            "% left by\none S",
        ],
        rows=[
            [
                name,
                f"{result.slopes[0]:.3f}",
                f"{result.slopes.mean():.3f}",
                f"{result.slopes[-1]:.3f}",
                f"{result.least_squares[0]:.3f}",
                f"{100 * result.misfit:.1f}",
            ]
            for name, result in outcome.activations.items()
        ],
        notes=[
            "Slopes are the entries of S = diag(sigma(z_i)/z_i), another S for each input. One S "
            "for all inputs is the least-squares operator; what it leaves is the share of the "
            "activation's output energy that no linear layer explains. The largest slope does not "
            "bound its norm.",
        ],
    )


def _reading(outcome):
    counts = Counter(claim.verdict for claim in claims())
    linear, residual = outcome.summary("linear"), outcome.summary("residual")
    conditioned = "better" if residual[0] < linear[0] else "no better"
    energy = "more" if residual[1] > linear[1] else "no more"
    failed = [key for key, value in outcome.holds.items() if value is False]
    misfit = [result.misfit for result in outcome.activations.values()]
    return (
        f"Of {len(claims())} claims {counts['false']} are false as printed, {counts['holds']} hold "
        f"and {counts['holds under conditions']} hold under conditions that are not printed. "
        f"For the learned D, I + D is {conditioned} conditioned ({residual[0]:.3g} against "
        f"{linear[0]:.3g}) and spreads its energy over {energy} dimensions ({residual[1]:.1f} "
        f"against {linear[1]:.1f} of {len(outcome.matrix)}, by the participation ratio); the paper "
        f"claims fewer. Claims that fail for it: {', '.join(failed) or 'none'}. "
        f"What was corrected holds for it: {'yes' if all(outcome.corrected.values()) else 'no'}. "
        f"One activation operator for all inputs leaves {100 * min(misfit):.0f} to "
        f"{100 * max(misfit):.0f} % of the output unexplained."
    )


def _figures(outcome):
    size = len(outcome.matrix)
    intervals = residual_bounds("identity", outcome.matrix).sigma_intervals
    edges = np.linspace(0, 2, 26)  # ||D|| is below 1
    index = np.arange(size + 1)
    return [
        Figure(
            name="claims_activation_slopes",
            caption=(
                "Figure 1 of the paper, for S = diag(sigma(z_i)/z_i): the share of entries of S, "
                "over all units and patches, up to each value. A jump is a value that many "
                "entries have."
            ),
            display=Curves(
                {
                    name: (
                        _GRID,
                        np.searchsorted(result.slopes, _GRID, "right") / result.slopes.size,
                    )
                    for name, result in outcome.activations.items()
                },
                xlabel="entry of S",
                ylabel="share of entries up to there",
                steps=True,
            ),
            size=(7.0, 4.2),
            options={"title": "Spectrum of S, another S for each input"},
        ),
        Figure(
            name="claims_activation_least_squares",
            caption=(
                "Figure 1 again, for the one S that fits all inputs best in the least-squares "
                "sense. For Gaussian outputs it would be diagonal: 1/2 for ReLU."
            ),
            display=SpectrumDisplay(
                {name: result.least_squares for name, result in outcome.activations.items()}
            ),
            size=(7.0, 4.2),
            options={"title": "Singular values of one S for all inputs"},
        ),
        Figure(
            name="claims_density",
            caption="Figure 2 of the paper: how the singular values of D and of I + D are spread.",
            display=Curves(
                {
                    name: (edges, np.append(np.histogram(sigma, edges)[0], 0))
                    for name, sigma in (("D", outcome.linear), ("I + D", outcome.residual))
                },
                xlabel="singular value",
                ylabel=f"number of {size}",
                steps=True,
            ),
            size=(7.0, 4.2),
            options={"title": "Density of singular values"},
        ),
        Figure(
            name="claims_spectra",
            caption=(
                "The same in order, with the interval that Weyl's inequality certifies for each "
                "singular value of I + D (the corrected A3)."
            ),
            display=SpectrumDisplay(
                {"D": outcome.linear, "I + D": outcome.residual},
                intervals={"I + D": (intervals[:, 0], intervals[:, 1])},
            ),
            size=(7.0, 4.2),
            options={"title": f"Singular values, ||D|| = {_claims.RHO}"},
        ),
        Figure(
            name="claims_energy",
            caption=(
                "Figure 3 of the paper: the share of the energy in the leading dimensions. The "
                "higher the curve, the fewer dimensions carry it; on the diagonal all carry the "
                "same."
            ),
            display=Curves(
                {
                    **{
                        name: (index, np.append(0, np.cumsum(sigma**2) / np.sum(sigma**2)))
                        for name, sigma in (("D", outcome.linear), ("I + D", outcome.residual))
                    },
                    "all equal": (index, index / size),
                },
                xlabel="number of leading dimensions",
                ylabel="share of the energy",
            ),
            size=(7.0, 4.2),
            options={"title": "Concentration of energy"},
        ),
    ]
