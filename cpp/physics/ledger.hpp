#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "ground/compensated.hpp"

namespace ktc {

/// The energy books of a block of replicas (Sekimoto, Prog. Theor. Phys. Suppl. 130, 17, 1998).
/// Every account is a compensated sum of posts, one per replica. Work done on the network and heat
/// that flows into its resistors are positive; the first law reads ΔH = work − heat.
class Ledger {
   public:
    enum Account : std::size_t { work, heat, supply, account_count };

    explicit Ledger(std::size_t lanes)
        : lanes_(lanes),
          sum_(account_count * lanes, 0.0),
          carry_(account_count * lanes, 0.0),
          turnover_(lanes, 0.0),
          opening_energy_(lanes, 0.0) {}

    /// Closes the books and opens new ones at the given energies.
    void open(const double* energy) {
        std::fill(sum_.begin(), sum_.end(), 0.0);
        std::fill(carry_.begin(), carry_.end(), 0.0);
        std::fill(turnover_.begin(), turnover_.end(), 0.0);
        std::copy(energy, energy + lanes_, opening_energy_.begin());
    }

    void post(Account account, const double* amount) {
        double* sum = sum_.data() + account * lanes_;
        double* carry = carry_.data() + account * lanes_;
        for (std::size_t lane = 0; lane < lanes_; ++lane)
            add_compensated(sum[lane], carry[lane], amount[lane]);
        if (account == supply) return;  // the book of H + bᵀx, no part of the first law of H
        for (std::size_t lane = 0; lane < lanes_; ++lane) turnover_[lane] += std::abs(amount[lane]);
    }

    double balance(Account account, std::size_t lane) const {
        return sum_[account * lanes_ + lane] + carry_[account * lanes_ + lane];
    }
    double opening_energy(std::size_t lane) const { return opening_energy_[lane]; }

    /// |ΔH − (work − heat)| over Σ|work| + Σ|heat| + max|H|, the sums over all posts.
    double imbalance(double energy, std::size_t lane) const {
        const double change = energy - opening_energy_[lane];
        // Both sums and both carries are paired, so that the large parts cancel first.
        const double booked = (sum_[work * lanes_ + lane] - sum_[heat * lanes_ + lane]) +
                              (carry_[work * lanes_ + lane] - carry_[heat * lanes_ + lane]);
        const double scale =
            turnover_[lane] + std::max(std::abs(energy), std::abs(opening_energy_[lane]));
        return scale > 0.0 ? std::abs(change - booked) / scale : 0.0;
    }

    /// The books as one flat row of numbers, for saving, and back.
    std::vector<double> pack() const {
        std::vector<double> packed;
        for (const auto* part : {&sum_, &carry_, &turnover_, &opening_energy_})
            packed.insert(packed.end(), part->begin(), part->end());
        return packed;
    }
    static std::size_t packed_size(std::size_t lanes) { return (2 * account_count + 2) * lanes; }
    void unpack(const double* packed) {
        for (auto* part : {&sum_, &carry_, &turnover_, &opening_energy_}) {
            std::copy(packed, packed + part->size(), part->begin());
            packed += part->size();
        }
    }

   private:
    std::size_t lanes_;
    std::vector<double> sum_, carry_, turnover_, opening_energy_;
};

}  // namespace ktc
