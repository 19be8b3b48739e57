"""Which entries of a row are largest: the selection step of thresholding pursuits."""

from .._jit import kernel


@kernel(counts_references=False)
def _worse(keys, where, u, v):
    """Whether entry ``u`` of the heap leaves before entry ``v``: smaller, or as small and later."""
    return keys[u] < keys[v] or (keys[u] == keys[v] and where[u] > where[v])


@kernel(counts_references=False)
def _swap(keys, where, u, v):
    keys[u], keys[v] = keys[v], keys[u]
    where[u], where[v] = where[v], where[u]


@kernel(counts_references=False)
def select_largest(row, limit, positive, keys, where):
    """Indices, ascending, of at most ``limit`` entries: those of largest absolute value.

    Zeros are never taken, nor, where ``positive`` is asked for, negative
    entries. Ties go to the lowest index. ``keys`` and ``where`` have at least
    ``limit`` entries; the indices are written to ``where``.

    Returns
    -------
    int
        How many.
    """
    # A heap of the best so far, the worst of them at its root.
    count = 0
    for j in range(row.size):
        key = row[j] if positive else abs(row[j])
        if not key > 0:
            continue
        if count < limit:
            u = count
            keys[u], where[u] = key, j
            count += 1
            while u > 0 and _worse(keys, where, u, (u - 1) // 2):
                _swap(keys, where, u, (u - 1) // 2)
                u = (u - 1) // 2
        elif key > keys[0]:
            keys[0], where[0] = key, j
            u = 0
            while 2 * u + 1 < count:
                child = 2 * u + 1
                if child + 1 < count and _worse(keys, where, child + 1, child):
                    child += 1
                if not _worse(keys, where, child, u):
                    break
                _swap(keys, where, u, child)
                u = child
    if count == 0:
        return 0
    worst, last = keys[0], where[0]
    found = 0
    for j in range(row.size):
        key = row[j] if positive else abs(row[j])
        if key > worst or (key == worst and j <= last):
            where[found] = j
            found += 1
    return found
