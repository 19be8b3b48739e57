"""
When conditioning pays
======================

A bound on the residual costs some accuracy in learning and buys a condition number that is
certain. What is that worth? The same dictionaries are compared without noise, with noise on the
signals, and with noise on the codes, as from storage in few bits or from a noisy channel.
"""

# %%
# Dictionaries of 8 x 8 patches of two sizes, plain and with bounds.
# Training and test photographs are disjoint.

import numpy as np
from matplotlib import pyplot as plt

from sklearn_resnet_sc import ResidualDictionaryLearning, sparse_encode
from sklearn_resnet_sc.datasets import extract_patches, train_test_images
from sklearn_resnet_sc.theory import mutual_coherence

train_images, test_images = train_test_images()
train = extract_patches(train_images, (8, 8), n_patches=6_000, random_state=0)
test = extract_patches(test_images, (8, 8), n_patches=2_000, random_state=0)

ARMS = {
    "64 plain": {"n_components": 64, "shortcut": None},
    "64 identity, bound 0.9": {"n_components": 64, "shortcut": "identity"},
    "64 DCT, bound 0.9": {"n_components": 64, "shortcut": "dct", "residual_bound": 0.9},
    "64 DCT, bound 0.5": {"n_components": 64, "shortcut": "dct", "residual_bound": 0.5},
    "256 plain": {"n_components": 256, "shortcut": None},
    "256 DCT, bound 0.9": {"n_components": 256, "shortcut": "dct", "residual_bound": 0.9},
    "256 DCT, bound 0.5": {"n_components": 256, "shortcut": "dct", "residual_bound": 0.5},
}
learners = {
    name: ResidualDictionaryLearning(**arm, fit_n_nonzero_coefs=5, max_iter=10, random_state=0).fit(
        train
    )
    for name, arm in ARMS.items()
}


def psnr(error):
    return 10 * np.log10(255**2 / np.mean(np.square(error)))


def spectrum(atoms):
    """Singular values on the 63 dimensions that patches without mean have."""
    centred = atoms - atoms.mean(axis=1, keepdims=True)
    return np.linalg.svd(centred, compute_uv=False)[:63]


# %%
# The price
# ---------
# Peak signal-to-noise ratio at five atoms per patch, coherence, extreme singular values and
# condition number of the unit atoms, and the condition number of shortcut + residual: what it
# is and what is certain. Singular values are those on the 63 dimensions that patches have: plain
# atoms are made of patches and have no mean, which would make them singular for a dull reason.

print(
    f"{'':24}{'PSNR':>8}{'mu':>7}{'s_min':>9}{'s_max':>7}{'kappa':>9}{'kappa(P+R)':>12}"
    f"{'certified':>11}"
)
price = {}
for name, learner in learners.items():
    atoms = learner.components_
    code = sparse_encode(test, atoms, algorithm="omp", n_nonzero_coefs=5)
    price[name] = psnr(test - code @ atoms)
    sigma = spectrum(atoms)
    total, certified = "", "none"
    if learner.residual_bound_ is not None:
        total = np.linalg.cond(learner.shortcut_ + learner.residual_).round(1)
        certified = f"{learner.certificate_.bounds.condition_number_bound:.1f}"
    print(
        f"{name:24}{price[name]:8.2f}{mutual_coherence(atoms):7.3f}{sigma[-1]:9.4f}{sigma[0]:7.2f}"
        f"{sigma[0] / sigma[-1]:9.1f}{total:>12}{certified:>11}"
    )

# %%
# Noise on the signals
# --------------------
# White noise (less its mean) is added to patches before they are coded with five atoms. Two
# errors: that of the patch against the clean one, and that of the code against the code of the
# clean patch. The second is where conditioning should show: nearly dependent atoms can trade
# large codes for a small change of the patch.

rng = np.random.default_rng(0)
white = rng.standard_normal(test.shape)
white -= white.mean(axis=1, keepdims=True)
LEVELS = [0, 5, 10, 20]
signal_noise, code_change = {}, {}
for name, learner in learners.items():
    atoms = learner.components_
    codes = [
        sparse_encode(test + level * white, atoms, algorithm="omp", n_nonzero_coefs=5)
        for level in LEVELS
    ]
    signal_noise[name] = [psnr(test - code @ atoms) for code in codes]
    size = np.linalg.norm(codes[0])
    code_change[name] = [np.linalg.norm(code - codes[0]) / size for code in codes]


def show(title, table, columns, form):
    print(title)
    print(" " * 24 + "".join(f"{column:>10}" for column in columns))
    for name, row in table.items():
        print(f"{name:24}" + "".join(f"{value:10{form}}" for value in row))


show("PSNR of patches; columns: standard deviation of the noise", signal_noise, LEVELS, ".2f")
show("Relative change of codes", code_change, LEVELS, ".3f")

# %%
# All codes of a patch
# --------------------
# A code with all atoms is exact if they are of full rank. Here it is the least squares code (of
# smallest norm where atoms outnumber pixels). Noise of the patch reaches it through the inverse:
# by the root mean square of ``1 / sigma_i``, and at worst by ``1 / sigma_min``.


def full_code(signals, atoms):
    centred = atoms - atoms.mean(axis=1, keepdims=True)
    return signals @ np.linalg.pinv(centred, rcond=1e-10)


print(f"{'noise gain of the full code':32}{'measured':>10}{'predicted':>11}{'worst':>9}")
gain = {}
for name, learner in learners.items():
    atoms = learner.components_
    sigma = spectrum(atoms)
    gain[name] = np.linalg.norm(full_code(white, atoms)) / np.linalg.norm(white)
    predicted = np.sqrt(np.mean(sigma**-2.0))
    print(f"{name:32}{gain[name]:10.2f}{predicted:11.2f}{1 / sigma[-1]:9.1f}")

# %%
# Noise on the codes
# ------------------
# Noise of one size on all entries of the code moves the patch by the root of the sum of all
# ``sigma_i^2``, and that sum is the number of atoms, as they have unit length: no bound changes
# it. Codes must be rounded in proportion to their largest entry, though, and there large codes
# cost. Below, five atoms are rounded to steps of 8 and of 32, and full codes to eight bits an
# entry.

rounded = {}
for name, learner in learners.items():
    atoms = learner.components_
    few = sparse_encode(test, atoms, algorithm="omp", n_nonzero_coefs=5)
    full = full_code(test, atoms)
    centred = atoms - atoms.mean(axis=1, keepdims=True)
    row = [psnr(test - step * np.round(few / step) @ atoms) for step in (8, 32)]
    step = 2 * np.abs(full).max() / 255
    row.append(psnr(test - step * np.round(full / step) @ centred))
    rounded[name] = row
show("PSNR after rounding", rounded, ["step 8", "step 32", "full"], ".2f")

# %%
# In pictures: what noise on the signals does to codes of five atoms, and what eight bits do to
# full codes.

figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
colors = dict(
    zip(ARMS, ["saddlebrown", "green", "orange", "red", "0.2", "skyblue", "blue"], strict=True)
)
for name, row in code_change.items():
    axes[0].plot(LEVELS, row, "s--" if "plain" in name else "o-", color=colors[name], label=name)
axes[0].set(xlabel="standard deviation of noise", ylabel="relative change of codes", ylim=(0, None))
axes[0].set_title("five atoms per patch")
figure.legend(loc="outside lower center", ncols=4, fontsize="small")
axes[1].barh(list(rounded), [row[-1] for row in rounded.values()], color=list(colors.values()))
axes[1].invert_yaxis()
axes[1].set(xlabel="PSNR (dB)", title="full codes, 8 bits an entry")
plt.show()

# %%
# Reading
# -------
# Computed from the numbers above: for what each bound pays, and what it costs.

for residual in ARMS:
    plain = f"{residual.split()[0]} plain"
    if residual == plain:
        continue
    cost = price[plain] - price[residual]
    noisy = signal_noise[plain][-1] - signal_noise[residual][-1]
    calm = code_change[residual][-1] / code_change[plain][-1]
    less = gain[plain] / gain[residual]
    bits = rounded[residual][-1] - rounded[plain][-1]
    print(
        f"{residual}: patches of five atoms lose {cost:.2f} dB, and {noisy:.2f} dB at noise "
        f"{LEVELS[-1]}, so for these the bound {'does not pay' if noisy > 0 else 'pays'}. "
        f"Their codes move {calm:.2f} times as far under noise; full codes amplify it {less:.1f} "
        f"times less, and in eight bits give {bits:+.1f} dB."
    )

# %%
# Does coherence or the condition number tell how far sparse codes move? Their orders, side by side.

for size in ("64", "256"):
    arms = [name for name in ARMS if name.startswith(size)]
    for what, key in [
        ("movement of sparse codes", lambda name: code_change[name][-1]),
        ("coherence", lambda name: mutual_coherence(learners[name].components_)),
        (
            "condition number",
            lambda name: np.divide(*spectrum(learners[name].components_)[[0, -1]]),
        ),
    ]:
        print(f"By {what}, from the least: {'; '.join(sorted(arms, key=key))}")
