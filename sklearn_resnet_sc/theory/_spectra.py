"""Singular values and what they say: rank, effective ranks, condition number.

Every function takes one matrix, or many in the leading dimensions of an array;
one matrix gives a Python number, many give an array.
"""

import numpy as np

from ._checks import check_matrix, check_nonnegative


def scaled_spectrum(matrix):
    """Singular values of `matrix / 2**exponent`, whose entries are of order one."""
    peak = np.abs(matrix).max(axis=(-2, -1), keepdims=True)
    exponent = np.frexp(peak)[1]
    # A power of two loses nothing; squares inside the decomposition stay in range.
    sigma = np.linalg.svd(np.ldexp(matrix, -exponent), compute_uv=False)
    return sigma, exponent[..., 0]


def default_rtol(matrix):
    """Relative size below which a singular value counts as rounding."""
    return max(matrix.shape[-2:]) * float(np.finfo(matrix.dtype).eps)


def rank_of(sigma, rtol):
    return np.count_nonzero(sigma > rtol * sigma[..., :1], axis=-1)


def condition_number_of(sigma, rtol):
    full = rank_of(sigma, rtol) == sigma.shape[-1]
    smallest = np.where(full, sigma[..., -1], 1)
    return np.where(full, sigma[..., 0] / smallest, np.inf)


def effective_rank_of(sigma):
    total = sigma.sum(axis=-1, keepdims=True)
    share = sigma / np.where(total > 0, total, 1)
    entropy = -(share * np.log(np.where(share > 0, share, 1))).sum(axis=-1)
    return np.where(total[..., 0] > 0, np.exp(entropy), 0)


def participation_ratio_of(sigma):
    largest = sigma[..., :1]
    energy = (sigma / np.where(largest > 0, largest, 1)) ** 2
    fourth = (energy**2).sum(axis=-1)
    return energy.sum(axis=-1) ** 2 / np.where(fourth > 0, fourth, 1)


def _unbox(value):
    return value.item() if np.ndim(value) == 0 else value


def _spectrum_of(matrix):
    """Validated matrix and its spectrum, up to scale, in float64 for the sums to come."""
    matrix = check_matrix(matrix, batch=True)
    sigma, _ = scaled_spectrum(matrix)
    return matrix, sigma.astype(np.float64)


def _check_rtol(rtol, matrix):
    return default_rtol(matrix) if rtol is None else check_nonnegative(rtol, "rtol", high=1)


def singular_spectrum(matrix):
    """Singular values, largest first.

    Parameters
    ----------
    matrix : array-like of shape (..., n_rows, n_columns)
        One matrix, or several in the leading dimensions.

    Returns
    -------
    ndarray of shape (..., min(n_rows, n_columns))
        In the precision of `matrix`, float32 or float64.

    Raises
    ------
    ValueError
        If `matrix` is not finite and real, is empty, or has fewer than two dimensions.

    Notes
    -----
    The matrix is scaled by a power of two before it is decomposed, so that entries
    near 1e-200 or 1e200 are as good as others.

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed. (2013), theorem 2.4.1.

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import singular_spectrum
    >>> singular_spectrum([[0.0, 2.0], [1.0, 0.0]])
    array([2., 1.])
    """
    matrix = check_matrix(matrix, batch=True)
    sigma, exponent = scaled_spectrum(matrix)
    return np.ldexp(sigma, exponent)


def numerical_rank(matrix, *, rtol=None):
    """Number of singular values that rounding does not explain.

    Parameters
    ----------
    matrix : array-like of shape (..., n_rows, n_columns)
        One matrix, or several in the leading dimensions.
    rtol : float, default=None
        A singular value counts when it exceeds ``rtol`` times the largest one. By
        default ``max(n_rows, n_columns)`` times the machine precision of `matrix`.

    Returns
    -------
    int or ndarray of int
        0 for a zero matrix.

    Raises
    ------
    ValueError
        If `matrix` is not finite and real, is empty, or has fewer than two
        dimensions, or if `rtol` is not in [0, 1].

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed. (2013), section 5.4.

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import numerical_rank
    >>> numerical_rank([[1.0, 2.0], [2.0, 4.0]])
    1
    """
    matrix, sigma = _spectrum_of(matrix)
    return _unbox(rank_of(sigma, _check_rtol(rtol, matrix)))


def effective_rank(matrix):
    """Effective rank of Roy and Vetterli: the exponential of the spectral entropy.

    ``exp(-sum p_i log p_i)`` with ``p_i = sigma_i / sum(sigma)``. It lies between 1
    and the rank, and equals the rank when the non-zero singular values are equal.

    Parameters
    ----------
    matrix : array-like of shape (..., n_rows, n_columns)
        One matrix, or several in the leading dimensions.

    Returns
    -------
    float or ndarray
        0 for a zero matrix.

    Raises
    ------
    ValueError
        If `matrix` is not finite and real, is empty, or has fewer than two dimensions.

    References
    ----------
    O. Roy, M. Vetterli, "The effective rank: a measure of effective dimensionality",
    EUSIPCO (2007), definition 1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import effective_rank
    >>> round(effective_rank(np.eye(3)), 12)
    3.0
    """
    return _unbox(effective_rank_of(_spectrum_of(matrix)[1]))


def participation_ratio(matrix):
    """Number of directions that carry the energy, by the participation ratio.

    ``(sum sigma_i^2)^2 / sum sigma_i^4``, between 1 and the rank.

    Parameters
    ----------
    matrix : array-like of shape (..., n_rows, n_columns)
        One matrix, or several in the leading dimensions.

    Returns
    -------
    float or ndarray
        0 for a zero matrix.

    Raises
    ------
    ValueError
        If `matrix` is not finite and real, is empty, or has fewer than two dimensions.

    References
    ----------
    R. J. Bell, P. Dean, "Atomic vibrations in vitreous silica", Discussions of the
    Faraday Society 50 (1970), here with the shares of energy ``sigma_i^2 / sum sigma^2`` as
    weights.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import participation_ratio
    >>> participation_ratio(np.eye(3))
    3.0
    """
    return _unbox(participation_ratio_of(_spectrum_of(matrix)[1]))


def condition_number(matrix, *, rtol=None):
    """Largest over smallest singular value.

    All ``min(n_rows, n_columns)`` singular values count, so that a matrix of less
    than full rank has an infinite condition number.

    Parameters
    ----------
    matrix : array-like of shape (..., n_rows, n_columns)
        One matrix, or several in the leading dimensions.
    rtol : float, default=None
        Decides the rank, as in `numerical_rank`.

    Returns
    -------
    float or ndarray
        At least 1; infinite where the numerical rank is not full.

    Raises
    ------
    ValueError
        If `matrix` is not finite and real, is empty, or has fewer than two
        dimensions, or if `rtol` is not in [0, 1].

    References
    ----------
    G. H. Golub, C. F. Van Loan, "Matrix Computations", 4th ed. (2013), section 2.6.

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import condition_number
    >>> condition_number([[2.0, 0.0], [0.0, 1.0]])
    2.0
    >>> condition_number([[1.0, 2.0], [2.0, 4.0]])
    inf
    """
    matrix, sigma = _spectrum_of(matrix)
    return _unbox(condition_number_of(sigma, _check_rtol(rtol, matrix)))
