#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "ground/block_width.hpp"
#include "ground/precision.hpp"
#include "kernels/kernels.hpp"

namespace ktc {

/// What one in single precision stands for, and where its zero is, an entry a row. Rows are stored
/// over the power of two that is nearest their thermal width, so that farads and henries stay clear
/// of the ends of its range; natural coordinates as their deviation from β, so that a bias of many
/// thermal widths takes no digits from them.
struct SingleFrame {
    const std::vector<double>&unit, &offset;
};

/// The coordinates of a block of replicas, [row][lane].
class BlockState {
   public:
    BlockState(std::size_t rows, Precision precision)
        : full_(precision == Precision::full ? rows * block_width : 0, 0.0),
          single_(precision == Precision::single ? rows * block_width : 0, 0.0f) {}

    double* full() { return full_.data(); }
    const double* full() const { return full_.data(); }
    template <class Real>
    const Real* numbers() const {
        return const_cast<BlockState&>(*this).numbers<Real>();
    }
    template <class Real>
    Real* numbers() {
        if constexpr (std::is_same_v<Real, float>)
            return single_.data();
        else
            return full_.data();
    }

    void widen(const SingleFrame& frame, double* to) const {
        for (std::size_t row = 0; row * block_width < single_.size(); ++row)
            kernels().widen(single_.data() + row * block_width, block_width, frame.unit[row],
                            frame.offset[row], to + row * block_width);
    }
    void narrow(const SingleFrame& frame, const double* from) {
        for (std::size_t row = 0; row * block_width < single_.size(); ++row)
            kernels().narrow(from + row * block_width, block_width, frame.unit[row],
                             frame.offset[row], single_.data() + row * block_width);
    }

    /// Numbers in single precision go over to another frame at held state; work = −changeᵀ x.
    void reframe(const SingleFrame& before, const SingleFrame& after,
                 const std::vector<double>& change, double* work) {
        std::fill_n(work, block_width, 0.0);
        for (std::size_t row = 0; row < change.size(); ++row)
            kernels().reframe(single_.data() + row * block_width, block_width, before.unit[row],
                              before.offset[row], after.offset[row], change[row], work);
    }

    /// The numbers as they are stored, and back.
    void save(std::vector<double>& to) const {
        to.insert(to.end(), full_.begin(), full_.end());
        to.insert(to.end(), single_.begin(), single_.end());
    }
    void load(const double* from) {
        std::copy_n(from, full_.size(), full_.begin());
        for (std::size_t k = 0; k < single_.size(); ++k) single_[k] = static_cast<float>(from[k]);
    }

   private:
    std::vector<double> full_;
    std::vector<float> single_;
};

}  // namespace ktc
