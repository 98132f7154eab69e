#include "ground/normal.hpp"

#include "kernels/kernels.hpp"

namespace ktc {

void normals16(const StreamAddress& address, double* out) { kernels().normals16(address, out); }

void uniforms16(const StreamAddress& address, double* out) { kernels().uniforms16(address, out); }

void transform16(const std::uint64_t* radius, const std::uint64_t* angle, double* out) {
    kernels().transform16(radius, angle, out);
}

void normals32(const StreamAddress& address, float* out) { kernels().normals32(address, out); }

void transform32(const std::uint32_t* radius, const std::uint32_t* angle, float* out) {
    kernels().transform32(radius, angle, out);
}

}  // namespace ktc
