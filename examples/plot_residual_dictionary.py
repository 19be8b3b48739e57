"""
A residual dictionary of image patches
======================================

A dictionary is learned from photographs, once freely and once as the overcomplete cosine transform
plus a residual of bounded norm, and both code patches of other photographs.
"""

# %%
# Patches of 8 x 8 pixels, each without its mean. Training and test photographs are disjoint.

import numpy as np
from matplotlib import pyplot as plt

from sklearn_resnet_sc import ResidualDictionaryLearning, sparse_encode
from sklearn_resnet_sc.datasets import extract_patches, train_test_images
from sklearn_resnet_sc.learning import dct_dictionary
from sklearn_resnet_sc.plotting import DictionaryDisplay, SpectrumDisplay
from sklearn_resnet_sc.theory import mutual_coherence

train_images, test_images = train_test_images()
train = extract_patches(train_images, (8, 8), n_patches=10_000, random_state=0)
test = extract_patches(test_images, (8, 8), n_patches=5_000, random_state=0)

# %%
# Learn both, coding with five atoms per patch. ``residual_bound="auto"`` means 0.9 where there is a
# shortcut, and no bound where there is none.

settings = {"n_components": 256, "fit_n_nonzero_coefs": 5, "max_iter": 10, "random_state": 0}
plain = ResidualDictionaryLearning(shortcut=None, **settings).fit(train)
residual = ResidualDictionaryLearning(shortcut="dct", **settings).fit(train)

figure, axes = plt.subplots(1, 2, figsize=(9, 4.5), layout="constrained")
DictionaryDisplay.from_estimator(plain, ax=axes[0])
DictionaryDisplay.from_estimator(residual, ax=axes[1])
axes[0].set_title("plain")
axes[1].set_title("DCT + residual")
plt.show()

# %%
# The certificate says what is certain about the residual dictionary, and what was measured.

print(residual.certificate_)

# %%
# The singular values of the sum stay in the interval that the bound allows; those of the plain
# dictionary are free to fall. (Its last one is zero for a dull reason: patches have no mean.)

SpectrumDisplay.from_dictionaries(
    {
        "DCT": dct_dictionary(256, 64),
        "plain": plain.components_,
        "DCT + residual": residual.shortcut_ + residual.residual_,
    }
)
plt.show()

# %%
# And the price, or gain: the peak signal-to-noise ratio on the other photographs, always with five
# atoms per patch, chosen by orthogonal least squares.

for name, dictionary in [
    ("DCT", dct_dictionary(256, 64)),
    ("plain", plain.components_),
    ("DCT + residual", residual.components_),
]:
    code = sparse_encode(test, dictionary, algorithm="ols", n_nonzero_coefs=5)
    psnr = 10 * np.log10(255**2 / np.mean((test - code @ dictionary) ** 2))
    coherence = mutual_coherence(dictionary)
    print(f"{name:15} {psnr:5.2f} dB   coherence {coherence:.3f}")
