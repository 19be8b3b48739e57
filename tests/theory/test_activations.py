"""Activations as operators: the slopes, their bounds, and what has none."""

import numpy as np
import pytest

from sklearn_resnet_sc.theory import activation_slopes
from sklearn_resnet_sc.theory._activations import ACTIVATIONS

GRID = np.concatenate([-np.logspace(2, -8, 4000), [0.0], np.logspace(-8, 2, 4000)])
# Written out from the definitions, apart from the table.
DEFINITIONS = {
    "relu": lambda z: np.where(z > 0, z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, z / 100),
    "tanh": lambda z: 1 - 2 / (np.exp(2 * z) + 1),
    "elu": lambda z: np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1),
    "selu": lambda z: (
        1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * (np.exp(np.minimum(z, 0)) - 1))
    ),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_values(name):
    got = ACTIVATIONS[name].function(GRID)
    np.testing.assert_allclose(got, DEFINITIONS[name](GRID), rtol=1e-12, atol=1e-15)


def test_gelu_is_z_times_the_normal_distribution():
    # Values of the distribution function from tables.
    got = ACTIVATIONS["gelu"].function(np.array([1.0, -2.0]))
    np.testing.assert_allclose(got, [0.841344746068543, -2 * 0.022750131948179], rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "sigmoid"])
def test_slopes_reproduce_the_activation(name):
    slopes = activation_slopes(GRID, name)
    np.testing.assert_allclose(slopes * GRID, ACTIVATIONS[name].function(GRID), rtol=4e-16)
    # At 0 the slope on one side.
    sides = ACTIVATIONS[name].function(np.array([-1e-9, 1e-9])) / [-1e-9, 1e-9]
    assert np.abs(sides - activation_slopes(0.0, name)).min() < 1e-6


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_constants_are_the_least_upper_bounds(name):
    entry = ACTIVATIONS[name]
    values, even = entry.function(GRID), np.linspace(-10, 10, 200_001)
    steep = np.abs(np.diff(entry.function(even)) / np.diff(even)).max()
    assert 0.9999 * entry.lipschitz < steep <= entry.lipschitz * (1 + 1e-9)
    assert values.min() >= entry.lower and values.max() <= entry.upper
    if np.isfinite(entry.lower):
        assert values.min() < entry.lower + 1e-4
    if entry.slope_at_zero is not None:
        ratio = np.abs(activation_slopes(GRID, name)).max()
        assert 0.98 * entry.largest_slope < ratio <= entry.largest_slope * (1 + 1e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_shape_and_extremes(dtype):
    z = np.array([[0.0, -0.0, np.finfo(dtype).smallest_subnormal], [1e30, -1e30, 1]], dtype=dtype)
    for name in ("relu", "tanh", "gelu", "silu", "elu", "selu", "leaky_relu"):
        slopes = activation_slopes(z, name)
        assert slopes.dtype == dtype and slopes.shape == z.shape
        assert np.isfinite(slopes).all()
    assert activation_slopes([1, -1], "relu").tolist() == [1.0, 0.0]


def test_bad_input():
    with pytest.raises(ValueError, match=r"sigma\(0\) = 0.*'sigmoid', whose value at 0 is 0.5"):
        activation_slopes([1.0], "sigmoid")
    with pytest.raises(ValueError, match="activation must be one of"):
        activation_slopes([1.0], "swish")
    with pytest.raises(ValueError, match="activation must be one of"):
        activation_slopes([1.0], None)
    with pytest.raises(ValueError, match="preactivations must be finite"):
        activation_slopes([np.inf], "relu")
    with pytest.raises(ValueError, match="preactivations must be finite"):
        activation_slopes(["a"], "relu")
