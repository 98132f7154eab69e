#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kernels.hpp"
#include "motion/block.hpp"

namespace ktc {

/// Uniform numbers of one draw of a state, sixteen lanes at a time, one use after the other.
/// Numbers of one draw have addresses of their own: the step names the draw, its low bits the use.
class Uniforms {
   public:
    static constexpr int use_bits = 24;

    Uniforms(const NoiseAddress& address, Purpose purpose, std::size_t group, std::size_t element,
             std::uint64_t first_use)
        : address_{address.seed, purpose, address.first_group + group,
                   static_cast<std::uint32_t>(element), (address.step << use_bits) | first_use} {}

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
