"""What is certain about one code and its signal, where the dictionary alone is silent."""

from dataclasses import dataclass

import numpy as np

from ._supports import over_blocks

_EPS = float(np.finfo(np.float64).eps)


@dataclass
class LassoCertificates:
    """Of the minimisers of ``0.5 ||x - a D||^2 + alpha ||a||_1``, one a signal."""

    unique: np.ndarray  # the code's support and signs are those of the only minimiser
    noise_radius: np.ndarray  # the length of input noise below which they stay
    error: np.ndarray  # distance of the code from that minimiser


def lasso_certificates(atoms, lengths, group, signals, alpha, sigma_min, n_jobs):
    """Certify the codes of one size as the lasso's, from support and signs alone.

    The minimiser with this support and these signs is computed anew, so that the code
    may be as inaccurate as its solver left it. Noise e moves coefficient i by at most
    ``||(D_T^+)_i|| ||e||`` and the correlation of an atom outside by at most
    ``||(I - P_T) d_j|| ||e||``: until one of them reaches its limit nothing changes.
    """
    n_codes, size = group.atoms.shape
    n_features = atoms.shape[1]
    result = LassoCertificates(
        unique=np.zeros(n_codes, dtype=bool),
        noise_radius=np.zeros(n_codes),
        error=np.full(n_codes, np.inf),
    )
    regular = np.flatnonzero(sigma_min > 0) if size else np.arange(n_codes)
    longest = lengths.max()

    def work(block):
        which = regular[block]
        chosen, signs = group.atoms[which], np.sign(group.values[which])
        x = signals[group.rows[which]]
        inside = atoms[chosen]
        inverse = np.linalg.inv(inside @ inside.swapaxes(1, 2))
        target = (inside @ x[:, :, None])[:, :, 0] - alpha * signs
        exact = (inverse @ target[:, :, None])[:, :, 0]
        residual = x - (exact[:, None, :] @ inside)[:, 0, :]

        gap = alpha - np.abs(residual @ atoms.T)
        products = (inside.reshape(-1, n_features) @ atoms.T).reshape(len(which), size, len(atoms))
        shares = inverse @ products
        shares *= products
        # What is left of each atom outside of the span of the support, moved up by rounding.
        outside = np.square(lengths) * (1 + n_features * _EPS) - shares.sum(axis=1)
        outside = np.sqrt(np.maximum(outside, n_features * _EPS * np.square(lengths)))
        rounding = 8 * n_features * _EPS * longest * np.linalg.norm(x, axis=1)
        np.put_along_axis(gap, chosen, np.inf, axis=1)
        clear = gap.min(axis=1) > rounding
        gap /= outside
        radius = gap.min(axis=1)
        if size:
            moved = np.sqrt(inverse.diagonal(axis1=1, axis2=2))
            agreeing = exact * signs
            uncertain = rounding / np.square(sigma_min[which])
            clear &= agreeing.min(axis=1) > uncertain
            radius = np.minimum(radius, (agreeing / moved).min(axis=1))
        result.unique[which] = clear
        result.noise_radius[which] = np.where(clear, radius, 0)
        distance = np.linalg.norm(exact - group.values[which], axis=1)
        result.error[which] = np.where(clear, distance, np.inf)

    over_blocks(work, len(regular), (size + 2) * len(atoms), n_jobs)
    return result


def greedy_noise_radius(atoms, lengths, group, signals, n_jobs):
    """The input noise below which orthogonal matching pursuit keeps its selections.

    The pursuit is run anew for as many steps as the code has atoms; 0 where it selects
    another atom, or meets a tie. Until noise e closes the gap between the best and any
    other correlation, at most ``(||d_best|| + ||d_j||) ||e||``, each step selects the same.
    """
    n_codes, size = group.atoms.shape
    n_components, n_features = atoms.shape
    result = np.zeros(n_codes)

    def work(block):
        chosen = group.atoms[block]
        residual = signals[group.rows[block]]
        index = np.arange(len(chosen))
        rounding = 8 * n_features * _EPS * np.linalg.norm(residual, axis=1)
        basis = np.zeros((len(chosen), size, n_features))
        taken = np.zeros((len(chosen), n_components), dtype=bool)
        wanted = np.zeros((len(chosen), n_components), dtype=bool)
        np.put_along_axis(wanted, chosen, True, axis=1)
        right, radius = np.ones(len(chosen), dtype=bool), np.full(len(chosen), np.inf)
        for step in range(size):
            products = np.abs(residual @ atoms.T)
            products[taken] = -np.inf
            best = products.argmax(axis=1)
            right &= wanted[index, best]
            gap = products[index, best][:, None] - products
            gap /= lengths[best][:, None] + lengths
            gap[index, best] = np.inf
            radius = np.minimum(radius, gap.min(axis=1))
            taken[index, best] = True
            direction = atoms[best]
            for _ in range(2):  # twice is enough against rounding
                shares = basis[:, :step] @ direction[:, :, None]
                direction = direction - (shares.swapaxes(1, 2) @ basis[:, :step])[:, 0, :]
            length = np.linalg.norm(direction, axis=1, keepdims=True)
            right &= length[:, 0] > n_features * _EPS * lengths[best]
            direction /= np.where(length > 0, length, 1)
            basis[:, step] = direction
            residual = residual - (residual * direction).sum(axis=1, keepdims=True) * direction
        result[block] = np.where(right & (radius > rounding), radius, 0)

    over_blocks(work, n_codes, 3 * n_components + size * n_features, n_jobs)
    return result
