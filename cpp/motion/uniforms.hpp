#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.hpp"
#include "motion/noise_address.hpp"

namespace ktc {

/// Stream of uniform numbers for drawing a state, sixteen lanes at a time. In their addresses the
/// high bits of the step are the number of the draw and the low bits count the numbers.
class Uniforms {
   public:
    static constexpr int use_bits = 24;

    Uniforms(const NoiseAddress& address, Purpose purpose, std::size_t group, std::size_t element,
             std::uint64_t first_use)
        : address_(address.stream(purpose, group, element)) {
        address_.step = (address.step << use_bits) | first_use;
    }

    const double* next() {
        kernels().uniforms(address_, values_);
        ++address_.step;
        return values_;
    }

   private:
    StreamAddress address_;
    double values_[group_width];
};

}  // namespace ktc
