"""
Learning curves on an autoregressive process
============================================

MOD and K-SVD code all signals before they change the dictionary; recursive least squares
changes it after every signal, and forgets what it learned from codes in older dictionaries. On
signals of an AR(1) process, 32 atoms of length 16 and 4 atoms a signal, this is the
experiment of Skretting and Engan [1]_: forgetting that fades out finds better dictionaries than
either, and finds them sooner.
"""

# %%
# Signals and a common start
# --------------------------
# Every learner sees the same 2000 signals and begins with the same of them. What counts is
# how well signals that none has seen are represented by four atoms, in decibels.

import matplotlib.pyplot as plt
import numpy as np

from sklearn_resnet_sc import DictionaryLearning, sparse_encode
from sklearn_resnet_sc.datasets import make_ar1_signals
from sklearn_resnet_sc.learning import Forgetting

N_PASSES = 100
training = make_ar1_signals(2000, random_state=0)
held_out = make_ar1_signals(5000, random_state=1)


def snr(components):
    """Signal-to-noise ratio of held-out signals in four atoms."""
    code = sparse_encode(held_out, components, algorithm="omp", n_nonzero_coefs=4)
    return 20 * np.log10(np.linalg.norm(held_out) / np.linalg.norm(held_out - code @ components))


def learning_curve(**options):
    """Passes over the signals, and the ratio after them."""
    curve = []
    DictionaryLearning(
        32,
        fit_algorithm="omp",
        fit_n_nonzero_coefs=4,
        dict_init="data",
        max_iter=N_PASSES + 1,  # callbacks come after the first pass, the sixth, and so on
        tol=0,
        callback=lambda state: curve.append(
            (state["iteration"], snr(state["dictionary"].components))
        ),
        random_state=0,
        **options,
    ).fit(training)
    return np.array(curve)


# %%
# The curves
# ----------
# Where nothing is forgotten, codes in the first, poor dictionaries count for ever. A constant
# factor always follows the last signals; a cubic schedule rises to one, so that in the end
# all signals count alike.

learners = {
    "MOD": {"dictionary_update": "mod"},
    "K-SVD": {"dictionary_update": "ksvd"},
    "RLS-DLA, nothing forgotten": {
        "dictionary_update": "rls",
        "forgetting": Forgetting("constant", start=1),
    },
    "RLS-DLA, constant 0.998": {
        "dictionary_update": "rls",
        "forgetting": Forgetting("constant", start=0.998),
    },
    "RLS-DLA, cubic from 0.99": {"dictionary_update": "rls", "forgetting": "cubic"},
}
curves = {name: learning_curve(**options) for name, options in learners.items()}

figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
for name, curve in curves.items():
    axes.plot(*curve.T, label=name)
    print(f"{name:<27} {curve[-1, 1]:.2f} dB")
axes.set(xlabel="passes over the signals", ylabel="held-out SNR in dB")
axes.legend()
plt.show()

# %%
# References
# ----------
# .. [1] K. Skretting, K. Engan, "Recursive least squares dictionary learning algorithm",
#    IEEE TSP 58 (2010).
