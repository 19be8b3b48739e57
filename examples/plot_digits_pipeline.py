"""
Digits: sparse codes as features
================================

Handwritten digits are classified by a linear model, from their pixels and from their sparse
codes in a plain and in a residual dictionary: one step of a pipeline is exchanged.
"""

# %%
# 1797 images of 8 x 8 pixels; a third is held out.

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_resnet_sc import ResidualDictionaryLearning
from sklearn_resnet_sc.plotting import DictionaryDisplay

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, test_size=1 / 3, stratify=y, random_state=0
)

# %%
# Codes are those of the lasso, with 100 atoms; signs are split into separate features, as what an
# atom says by a negative code need not be the opposite of what it says by a positive one.
# Dictionaries are learned from such codes, too. The ridge classifier chooses its penalty itself,
# by leaving out one digit at a time.


def learner(shortcut):
    return ResidualDictionaryLearning(
        100,
        shortcut=shortcut,
        fit_algorithm="lasso_lars",
        fit_alpha=0.1,
        max_iter=10,
        transform_algorithm="lasso_lars",
        transform_alpha=0.1,
        split_sign=True,
        random_state=0,
    )


ARMS = {
    "pixels": FunctionTransformer(),
    "plain dictionary": learner(None),
    "DCT + residual": learner("dct"),
}
penalties = np.logspace(-3, 3, 19)
pipelines = {
    name: make_pipeline(features, RidgeClassifierCV(penalties)).fit(X_train, y_train)
    for name, features in ARMS.items()
}

# %%
# Accuracy on the held-out third, without noise and with noise that training has not
# seen (pixels run from 0 to 1); without noise also with its standard error.

LEVELS = [0.0, 0.1, 0.2, 0.3]
noise = np.random.default_rng(0).standard_normal(X_test.shape)
right = {
    name: np.array([pipeline.predict(X_test + level * noise) == y_test for level in LEVELS])
    for name, pipeline in pipelines.items()
}
table = pd.DataFrame({name: rows.mean(axis=1) for name, rows in right.items()}, index=LEVELS)
print(table.round(3).rename_axis("noise"))
error = np.sqrt(table.loc[0.0] * (1 - table.loc[0.0]) / len(y_test))
print("standard errors without noise:", ", ".join(f"{value:.3f}" for value in error))

# %%
# Accuracy over noise, and the atoms.

figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
for name in pipelines:
    axes[0].plot(LEVELS, table[name], "o-", label=name)
axes[0].set(xlabel="standard deviation of noise", ylabel="accuracy", title="held-out digits")
axes[0].legend()
for axis, name in zip(axes[1:], ["plain dictionary", "DCT + residual"], strict=True):
    DictionaryDisplay.from_estimator(pipelines[name][0], ax=axis)
    axis.set_title(name)

# %%
# What it comes to: the differences are compared digit by digit, as both see the same ones.


def compare(one, other, level):
    difference = right[one][level].astype(float) - right[other][level]
    margin = 2 * difference.std() / np.sqrt(difference.size)
    verdict = "no difference that counts"
    if abs(difference.mean()) > margin:
        verdict = "better" if difference.mean() > 0 else "worse"
    return f"{difference.mean():+.3f} +- {margin:.3f} ({verdict})"


for level, size in enumerate(LEVELS):
    print(f"noise {size}:")
    print("   residual against plain: ", compare("DCT + residual", "plain dictionary", level))
    print("   residual against pixels:", compare("DCT + residual", "pixels", level))
