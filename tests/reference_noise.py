"""The documented normals of an address in NumPy: Philox4x32-10, and Box and Muller's transform.

``reference.py`` has the same word for word, one at a time; nothing here is imported from the
package under test.
"""

import numpy as np

from reference import MASK_32

EQUILIBRIUM, HOLD = 0, 1


def words(seed, purpose, group, element, step):
    """Four 32-bit words of each of the eight counters of a group, shape (4, 8)."""
    place = (group << 3) | np.arange(8, dtype=np.uint64)
    same = np.ones_like(place)
    c0, c1, c2, c3 = (
        np.uint64(step & MASK_32) * same,
        np.uint64(step >> 32) * same,
        place,
        np.uint64((purpose << 28) | element) * same,
    )
    k0, k1 = seed & MASK_32, seed >> 32
    low, high = np.uint64(MASK_32), np.uint64(32)
    for _ in range(10):
        product_0, product_1 = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c2 = (product_1 >> high) ^ c1 ^ np.uint64(k0), (product_0 >> high) ^ c3 ^ np.uint64(k1)
        c1, c3 = product_1 & low, product_0 & low
        k0, k1 = (k0 + 0x9E3779B9) & MASK_32, (k1 + 0xBB67AE85) & MASK_32
    return np.array([c0, c1, c2, c3])


def _circle(length, y, turned, exchanged):
    """√(−2 ln u) times (cos, sin)(½πy), in its quarter of the circle."""
    across, along = length * np.cos(np.pi / 2 * y), length * np.sin(np.pi / 2 * y)
    across = np.where(turned, -across, across)
    first, second = np.where(exchanged, [along, across], [across, along])
    return np.concatenate([first, second])


def normals(seed, purpose, group, element, step):
    """The sixteen standard normals at an address, to a few units in the last place."""
    c = words(seed, purpose, group, element, step)
    radius, angle = c[0] | c[1] << np.uint64(32), c[2] | c[3] << np.uint64(32)
    u = ((radius % np.uint64(2**52)).astype(float) + 0.5) / 2**52
    y = ((angle % np.uint64(2**52) // np.uint64(2)).astype(float) + 0.5) / 2**51 - 0.5
    top = [(angle >> np.uint64(bit)) & np.uint64(1) == 1 for bit in (63, 62)]
    # Near u = 1 the logarithm needs 1 − u, which is exact.
    log = np.where(u > 0.5, np.log1p(-(1 - u)), np.log(u))
    return _circle(np.sqrt(-2 * log), y, *top)


def single_normals(seed, purpose, group, element, step):
    """The thirty-two standard normals of single precision at an address, in double precision."""
    c = words(seed, purpose, group, element, step)
    radius, angle = c[:2].T.ravel(), c[2:].T.ravel()
    u = np.float32(np.float32(radius).astype(float) * (2.0**-32 - 2.0**-56) + 2.0**-33)
    y = ((angle % np.uint64(2**23) // np.uint64(2)).astype(float) + 0.5) / 2**22 - 0.5
    top = [(angle >> np.uint64(bit)) & np.uint64(1) == 1 for bit in (31, 30)]
    return _circle(np.sqrt(-2 * np.log(u.astype(float))), y, *top)
