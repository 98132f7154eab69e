#pragma once

#include <cstdint>

#include "ground/streams.hpp"

namespace ktc {

/// Sixteen independent standard normals, one for each replica of the group at an address.
///
/// Box and Muller (Ann. Math. Stat. 29, 610, 1958): √(−2 ln u) times a point of the unit circle. u
/// in (0, 1) is an odd multiple of 2^−53 from the low 52 bits of one pair of words. The point is
/// (cos, sin)(½πy), y in (−½, ½) an odd multiple of 2^−52 from the low 52 bits of the other, with
/// its cosine's sign turned where the top bit is set and the two exchanged where the next one is:
/// four quarters of the circle. Logarithm, sine and cosine are our own (tools/normal_series.py):
/// the bits depend on the rounding of the level's arithmetic alone, neither on the maths library
/// nor on the width of vectors. |z| ≤ 8.58; what the true normal has beyond, 1e−17, is lost.
void normals16(const StreamAddress& address, double* out);

/// Sixteen uniform numbers in (0, 1), odd multiples of 2^−53, one for each replica of the group.
void uniforms16(const StreamAddress& address, double* out);

/// Thirty-two independent standard normals in single precision, one for each replica of the group
/// of thirty-two at an address: the same words and the same transform. A radius has 32 bits, an
/// angle 24: u is (w + ½) 2^−32 to single precision and at most 1 − 2^−24, y an odd multiple of
/// 2^−23 from the low 23 bits of its word. Eight counters have sixteen pairs of such words: the
/// first and the second word of counter c are the radii of pairs 2c and 2c + 1, the third and the
/// fourth their angles. Pair p makes the normals of replicas p and 16 + p. 3.5e−4 ≤ radius ≤ 6.77.
void normals32(const StreamAddress& address, float* out);
void transform32(const std::uint32_t* radius, const std::uint32_t* angle, float* out);

/// The transform alone, at given pairs of words: eight radii and eight angles to sixteen normals.
void transform16(const std::uint64_t* radius, const std::uint64_t* angle, double* out);

}  // namespace ktc
