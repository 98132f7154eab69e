#pragma once

#include <cstddef>
#include <type_traits>
#include <vector>

#include "ground/lanes.hpp"

namespace ktc {

/// How the engine keeps the coordinates of its replicas between moves. Energies and books are
/// double either way.
enum class Precision { full, single };

/// The coordinates of a block of replicas, [row][lane]. In single precision a row is stored over
/// the power of two that is nearest its thermal width, so that farads and henries stay clear of the
/// ends of its range.
class BlockState {
   public:
    BlockState(std::size_t rows, Precision precision)
        : full_(precision == Precision::full ? rows * block_width : 0, 0.0),
          single_(precision == Precision::single ? rows * block_width : 0, 0.0f) {}

    double* full() { return full_.data(); }
    const double* full() const { return full_.data(); }
    template <class Real>
    Real* numbers() {
        if constexpr (std::is_same_v<Real, float>)
            return single_.data();
        else
            return full_.data();
    }

    void widen(const std::vector<double>& unit, double* out) const {
        for (std::size_t k = 0; k < single_.size(); ++k)
            out[k] = unit[k / block_width] * static_cast<double>(single_[k]);
    }
    void narrow(const std::vector<double>& unit, const double* from) {
        for (std::size_t k = 0; k < single_.size(); ++k)
            single_[k] = static_cast<float>(from[k] / unit[k / block_width]);
    }

   private:
    std::vector<double> full_;
    std::vector<float> single_;
};

}  // namespace ktc
