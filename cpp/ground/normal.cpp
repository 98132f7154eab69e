#include "ground/normal.hpp"

#include "kernels/kernels.hpp"

namespace ktc {

void normals16(const StreamAddress& address, double* out) { kernels().normals16(address, out); }

void uniforms16(const StreamAddress& address, double* out) { kernels().uniforms16(address, out); }

void transform16(const std::uint64_t* radius, const std::uint64_t* angle, double* out) {
    kernels().transform16(radius, angle, out);
}

}  // namespace ktc
