#pragma once

#include "kernels/pack_bits.hpp"

/// Conversions between single and double precision; `unit` is a power of two.
namespace ktc::KTC_INSTRUCTION_SET {

inline void widen(const float* from, std::size_t count, double unit, double offset, double* to) {
    for (std::size_t k = 0; k < count; k += pack_width)
        store(to + k, offset + unit * load_doubles(from + k));
}

inline void narrow(const double* from, std::size_t count, double unit, double offset, float* to) {
    const double inverse = 1.0 / unit;
    for (std::size_t k = 0; k < count; ++k)
        to[k] = static_cast<float>(inverse * (from[k] - offset));
}

/// Moves the offset of stored numbers x from `before` to `after`; work −= change · x.
inline void reframe(float* numbers, std::size_t count, double unit, double before, double after,
                    double change, double* work) {
    const double inverse = 1.0 / unit;
    double x[pack_width];
    for (std::size_t k = 0; k < count; k += pack_width) {
        const auto wide = before + unit * load_doubles(numbers + k);
        store(work + k, load_doubles(work + k) - change * wide);
        if (before == after) continue;
        store(x, wide);
        for (std::size_t j = 0; j < pack_width; ++j)
            numbers[k + j] = static_cast<float>(inverse * (x[j] - after));
    }
}

}  // namespace ktc::KTC_INSTRUCTION_SET
