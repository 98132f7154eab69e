#pragma once

#include <cstddef>
#include <vector>

#include "motion/setting.hpp"

namespace ktc {

/// Precision of the stored coordinates of replicas. Energies and accounts are sums of doubles in
/// both.
enum class Precision { full, single };

/// How an engine stores coordinates. Single precision stores each row in units of the power of two
/// nearest its thermal width, so that farads and henries stay within range, and natural coordinates
/// as their deviation from β, so that a bias of many thermal widths costs no digits.
class StateFormat {
   public:
    /// Units at the controls of `setting`. Raises if single precision cannot represent them.
    StateFormat(const Network& network, const Setting& setting, Precision precision);

    bool single() const { return single_; }
    std::size_t rows() const { return unit_.size(); }
    const std::vector<double>& units() const { return unit_; }
    double unit(std::size_t row) const { return unit_[row]; }
    /// The state that a stored zero stands for, where β is `force`.
    LaneNumbers offset(const LaneNumbers& force) const {
        return natural_ ? force : LaneNumbers(origin_);
    }

    /// Raises on a bias that single precision cannot represent.
    void check(const Setting& setting) const;
    /// Raises on a state of a block, by its number, that single precision cannot represent.
    void check_state(const Setting& setting, std::uint64_t block,
                     const std::vector<double>& state) const;

   private:
    bool single_, natural_;
    std::vector<double> unit_, origin_;
};

}  // namespace ktc
