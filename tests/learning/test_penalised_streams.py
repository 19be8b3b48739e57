"""l1 codes in batches: updates know that codes follow the lengths of atoms, which alpha rewards."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone

from sklearn_resnet_sc import (
    DictionaryLearning,
    MiniBatchDictionaryLearning,
    ResidualDictionaryLearning,
    sparse_encode,
)
from sklearn_resnet_sc.learning._dictionary import DictionarySet
from sklearn_resnet_sc.learning._online import FadingSums, fading
from sklearn_resnet_sc.learning._pursuit import Coded, Pursuit
from sklearn_resnet_sc.learning._residual_stream import ResidualStream, add_raw
from sklearn_resnet_sc.learning._statistics import TrainingSet
from sklearn_resnet_sc.learning._updates import RESIDUAL_UPDATES
from sklearn_resnet_sc.theory import mutual_coherence

UPDATES = ("mod", "bcd")
ALPHA = 0.5


def penalised_error(X, components):
    code = sparse_encode(X, components, algorithm="lasso_lars", alpha=ALPHA)
    return 0.5 * np.sum((X - code @ components) ** 2) + ALPHA * np.abs(code).sum()


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.integers(10, 30), min_size=1, max_size=4),
    name=st.sampled_from(UPDATES),
    bound=st.sampled_from([0.1, 0.9, None]),
    scale=st.sampled_from([1e-12, 1.0, 1e12]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_no_update_raises_the_penalised_error_of_all_batches(
    seed, sizes, name, bound, scale, dtype
):
    """At raw codes held fixed, each batch with the share that is left of it: by definition."""
    rng = np.random.default_rng(seed)
    n_components, n_features = 5, 6
    shortcut = np.linalg.qr(rng.standard_normal((n_features, n_components)))[0].T.astype(dtype)
    space = DictionarySet(shortcut, bound, np.dtype(dtype))
    penalty = 0.3 * scale
    batches = []
    for size in sizes:
        # Every batch was coded in another dictionary, with atoms of other lengths.
        dictionary = space.assemble(space.fit(0.6 * rng.standard_normal(shortcut.shape)))
        X = scale * rng.standard_normal((size, n_features))
        code = scale * rng.standard_normal((size, n_components))
        code[rng.random(code.shape) < 0.3] = 0
        batches.append((dictionary, X.astype(dtype), code.astype(dtype)))
    sums = FadingSums(n_components, n_features)
    pursuit = Pursuit({}, penalty)
    stream = ResidualStream(sums, None, space, RESIDUAL_UPDATES[name], pursuit, n_jobs=None)
    for dictionary, X, code in batches:
        data = TrainingSet(X)
        sparse_code = sparse.csr_array(code)
        statistics = data.statistics(sparse_code, dictionary.components)
        coded = Coded(sparse_code, statistics, 0.0, 0.0, 0.0)
        if X is not batches[-1][1]:
            add_raw(sums, coded, data, dictionary.lengths, penalty)
    stream.training_set = data
    new = stream.update(dictionary, coded)
    assume(mutual_coherence(new.components) < 0.9)  # no atom was replaced

    seen = np.cumsum([0, *sizes])
    shares = [
        np.prod([fading(*pair, n_components) for pair in zip(seen[i:], sizes[i:], strict=False)])
        for i in range(1, len(seen))
    ]

    def objective(residual):
        atoms = shortcut.astype(np.float64) + residual
        total = 0.0
        for share, (old, X, code) in zip(shares, batches, strict=True):
            raw = code.astype(np.float64) / old.lengths / scale
            error = 0.5 * np.sum((X / scale - raw @ atoms) ** 2)
            total += share * (error + 0.3 * np.sum(np.abs(raw) * np.linalg.norm(atoms, axis=1)))
        return total

    before = objective(dictionary.residual)
    assert objective(new.residual) <= before * (1 + 64 * np.finfo(dtype).eps)


LEARNERS = {
    "mini-batch": MiniBatchDictionaryLearning(12, alpha=ALPHA, dictionary_update="mod"),
    **{
        f"residual, {update}, {bound}": ResidualDictionaryLearning(
            12,
            shortcut="dct",
            residual_bound=bound,
            dictionary_update=update,
            fit_algorithm="lasso_lars",
            fit_alpha=ALPHA,
        )
        for update in UPDATES
        for bound in (0.5, None)
    },
}


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("seed", range(3))
def test_a_batch_that_is_repeated_is_represented_better_and_better(name, seed):
    X = np.random.default_rng(seed).standard_normal((120, 8)) @ np.diag(np.arange(1.0, 9))
    learner = clone(LEARNERS[name])
    errors = [penalised_error(X, learner.partial_fit(X).components_) for _ in range(25)]
    assert np.diff(errors).max() <= 1e-9 * errors[0]
    assert errors[-1] < 0.99 * errors[0]


def test_batches_end_where_learning_from_all_signals_ends():
    X = np.random.default_rng(0).standard_normal((120, 8)) @ np.diag(np.arange(1.0, 9))
    options = {"alpha": ALPHA, "dictionary_update": "mod", "random_state": 0}
    whole = DictionaryLearning(12, dict_init="data", max_iter=100, tol=0, **options).fit(X)
    best = penalised_error(X, whole.components_)
    stream = MiniBatchDictionaryLearning(12, dict_init=whole.components_, **options)
    for _ in range(25):
        # Without regard to the penalty it would be 1.6% higher in the end.
        assert penalised_error(X, stream.partial_fit(X).components_) <= best * (1 + 1e-9)


@pytest.mark.parametrize("fit_algorithm", ["lasso_lars", "omp"])
def test_both_learners_of_batches_take_the_same_steps(natural_patches, fit_algorithm):
    # Few signals and many atoms: some are replaced.
    options = {"n_components": 96, "fit_algorithm": fit_algorithm, "random_state": 0}
    penalty = 30.0 if fit_algorithm == "lasso_lars" else None
    plain = ResidualDictionaryLearning(shortcut=None, fit_alpha=penalty, **options)
    drop_in = MiniBatchDictionaryLearning(
        alpha=penalty or 1, dict_init="data", dictionary_update="mod", **options
    )
    for first, last in [(0, 300), (300, 340), (340, 800)]:
        batch = natural_patches[first:last]
        expected = plain.partial_fit(batch).components_
        found = drop_in.partial_fit(batch).components_
        np.testing.assert_allclose(found, expected, atol=1e-9)
