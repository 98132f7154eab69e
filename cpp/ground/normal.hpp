#pragma once

#include <cstdint>

#include "ground/streams.hpp"

namespace ktc {

/// Sixteen independent standard normals, one for each replica of the group at an address.
///
/// Box and Muller (Ann. Math. Stat. 29, 610, 1958): z = √(−2 ln u) (cos, sin)(½π a), with u in
/// (0, 1) from 52 bits of one pair of words, an odd multiple of 2^−53, and a quarter-turn angle a
/// from 54 bits of the other. Logarithm, sine and cosine are our own series of additions,
/// multiplications and divisions, which IEEE 754 rounds alike everywhere: the bits depend neither
/// on the maths library nor on the width of vectors. |z| ≤ 8.58; what the true normal has beyond,
/// 1e−17, is lost.
void normals16(const StreamAddress& address, double* out);

/// Sixteen uniform numbers in (0, 1), odd multiples of 2^−53, one for each replica of the group.
void uniforms16(const StreamAddress& address, double* out);

/// The transform alone, at given pairs of words: eight radii and eight angles to sixteen normals.
void transform16(const std::uint64_t* radius, const std::uint64_t* angle, double* out);

}  // namespace ktc
