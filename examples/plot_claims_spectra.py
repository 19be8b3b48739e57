"""
Spectra of D and of I + D
=========================

A layer with a skip connection has the dictionary I + D. The paper says that its singular values
lie within sigma_i(D) of 1, that its condition number is far smaller, and that its energy is
in fewer dimensions. Here D is learned from photographs, and scaled to several sizes.
"""

# %%
# D is the residual of a dictionary learned from patches of 8 x 8 pixels with the identity as its
# shortcut: once freely, and once under a bound on its norm, against which most of its singular
# values come to lie. Scaled to ``||D||_2 = rho``, only its size changes, not its shape.

import numpy as np
from matplotlib import pyplot as plt

from sklearn_resnet_sc import ResidualDictionaryLearning
from sklearn_resnet_sc.datasets import extract_patches, train_test_images
from sklearn_resnet_sc.theory import (
    claims,
    condition_number,
    participation_ratio,
    residual_bounds,
    singular_spectrum,
)

train_images, _ = train_test_images()
patches = extract_patches(train_images, (8, 8), n_patches=5_000, random_state=0)
settings = {"n_components": 64, "fit_n_nonzero_coefs": 5, "max_iter": 5, "random_state": 0}
learned = {}
for name, bound in (("learned freely", None), ("learned under a bound", 0.9)):
    model = ResidualDictionaryLearning(shortcut="identity", residual_bound=bound, **settings)
    residual = model.fit(patches).residual_
    learned[name] = residual / singular_spectrum(residual)[0]
size = 64

# %%
# Claim A3, ``1 - sigma_i(D) <= sigma_i(I + D) <= 1 + sigma_i(D)``, pairs equal indices. The upper
# half is right. The lower half (dashed) promises that the smallest singular values of I + D are
# near 1, since those of D are near 0, and they are not. Weyl's inequality pairs opposite indices
# (shaded).

index = np.arange(1, size + 1)
figure, axes = plt.subplots(1, 3, figsize=(12, 4), sharey=True, layout="constrained")
panels = [("learned freely", 0.3), ("learned freely", 0.9), ("learned under a bound", 0.9)]
for ax, (name, rho) in zip(axes, panels, strict=True):
    residual = rho * learned[name]
    linear, summed = singular_spectrum(residual), singular_spectrum(np.eye(size) + residual)
    interval = residual_bounds("identity", residual).sigma_intervals
    ax.fill_between(index, *interval.T, color="C1", alpha=0.2, label="true bounds (Weyl)")
    ax.plot(index, 1 - linear, "--", color="C3", label="printed lower bound")
    ax.plot(index, summed, color="C1", label="I + D")
    ax.plot(index, linear, color="C0", label="D")
    wrong = int(np.sum(summed < 1 - linear - 1e-9))
    ax.set(title=f"{name}, rho = {rho}:\nprinted bound fails for {wrong} of {size}", xlabel="index")
axes[0].set(ylabel="singular value", ylim=(0, 2.1))
axes[0].legend(loc="upper right")
plt.show()

# %%
# Claims A4 and A5. Whether I + D is better conditioned than D (dotted), and whether its energy is
# in fewer dimensions, depends on D and on rho; neither is a theorem, and they ask for opposite
# things. What the skip connection gives is a guarantee from rho alone, while rho < 1: a condition
# number of at most ``(1 + rho) / (1 - rho)``, and energy spread over at least ``n ((1 - rho^2) /
# (1 + rho^2))^2`` dimensions, counted by the participation ratio. An orthogonal D is perfectly
# conditioned without it.

rhos = np.linspace(0.02, 1.6, 80)
orthogonal = np.linalg.qr(learned["learned freely"])[0]
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.4), layout="constrained")
shapes = learned | {"orthogonal": orthogonal}
for color, (name, shape) in zip(("C0", "C1", "C2"), shapes.items(), strict=True):
    sums = np.eye(size) + rhos[:, None, None] * shape
    left.plot(rhos, condition_number(sums), color=color, label=f"I + D, D {name}")
    left.axhline(condition_number(shape), color=color, linestyle=":")
    right.plot(rhos, participation_ratio(sums), color=color, label=f"I + D, D {name}")
    right.axhline(participation_ratio(shape), color=color, linestyle=":")
below = rhos[rhos < 0.999]
left.plot(below, (1 + below) / (1 - below), "k--", label="true bound, rho < 1")
right.plot(below, size * ((1 - below**2) / (1 + below**2)) ** 2, "k--", label="true bound, rho < 1")
left.set(yscale="log", ylim=(0.8, 2e4), xlabel="rho", title="Condition number (dotted: D alone)")
right.set(
    ylim=(0, size + 3), xlabel="rho", title=f"Participation ratio of {size} (dotted: D alone)"
)
left.legend(loc="upper left")
plt.show()

# %%
# The claims of section 1.5 about these matrices: which of them happen to hold, and that what was
# corrected holds for all of them. A claim that says nothing about a matrix is marked with a dash.

cases = {
    "free, 0.3": 0.3 * learned["learned freely"],
    "bound, 0.9": 0.9 * learned["learned under a bound"],
    "orthogonal, 0.9": 0.9 * orthogonal,
    "-projection": -np.diag(np.arange(size) < 40).astype(float),
}


def verdict(predicate, matrix):
    if not predicate.applies({"D": matrix}):
        return "-"
    return "holds" if predicate({"D": matrix}) else "FAILS"


print(f"{'claim, as printed':34}" + "".join(f"{name:>17}" for name in cases))
for claim in claims():
    if claim.section == "1.5" and claim.predicate.shapes.keys() == {"D"}:
        answers = [verdict(claim.predicate, matrix) for matrix in cases.values()]
        print(f"{claim.key:4} {claim.title:29}" + "".join(f"{answer:>17}" for answer in answers))
corrected = [claims()[key].corrected_predicate for key in ("A1", "A2", "A3", "A4", "A5", "A6")]
print(all(predicate({"D": matrix}) for predicate in corrected for matrix in cases.values()))
