#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "ground/compensated.hpp"
#include "ground/half.hpp"
#include "ground/lanes.hpp"
#include "kernels/kernels.hpp"

namespace ktc {

/// The energy books of a block of replicas (Sekimoto, Prog. Theor. Phys. Suppl. 130, 17, 1998).
/// Every account is a compensated sum of posts, one per replica, of 73 bits in twelve bytes. Work
/// done on the network and heat that flows into its resistors are positive; the first law reads
///     ΔH = work + source + injected + shadow − heat.
/// Books of exact moves keep work, heat and supply; itemised ones all accounts, and heat by
/// account.
class Ledger {
   public:
    enum Account : std::size_t {
        work,
        heat,
        supply,
        source,
        injected,
        shadow,
        entropy,
        first_heat
    };

    /// `heat_accounts` 0 keeps the three accounts of exact moves.
    explicit Ledger(std::size_t heat_accounts)
        : itemised_(heat_accounts > 0),
          accounts_(itemised_ ? first_heat + heat_accounts : source),
          sum_(accounts_ * lanes_, 0.0),
          opening_energy_(lanes_, 0.0),
          carry_(accounts_ * lanes_),
          turnover_(lanes_) {}

    bool itemised() const { return itemised_; }

    /// Closes the books and opens new ones at the given energies.
    void open(const double* energy) {
        std::fill(sum_.begin(), sum_.end(), 0.0);
        std::fill(carry_.begin(), carry_.end(), Half());
        std::fill(turnover_.begin(), turnover_.end(), Half());
        std::copy(energy, energy + lanes_, opening_energy_.begin());
    }

    void post(std::size_t account, const double* amount) {
        kernels().ledger_post(sums(account), carries(account), amount);
        if (account == work || account == heat) kernels().ledger_turn(turnover(), amount);
    }

    /// Where an account's sums and carries lie, and the turnover: for kernels that post by
    /// themselves.
    double* sums(std::size_t account) { return sum_.data() + account * lanes_; }
    Half* carries(std::size_t account) { return carry_.data() + account * lanes_; }
    Half* turnover() { return turnover_.data(); }

    /// Zero for accounts that these books do not keep.
    double balance(std::size_t account, std::size_t lane) const {
        if (account >= accounts_) return 0.0;
        return sum_[account * lanes_ + lane] + carry_[account * lanes_ + lane];
    }
    double opening_energy(std::size_t lane) const { return opening_energy_[lane]; }

    /// Twenty bits suffice for the turnover, which only scales the imbalance. It stops growing at
    /// some million times a post, which makes the imbalance of very long runs seem larger than it
    /// is.
    ///
    /// |ΔH − (work + source + injected + shadow − heat)| over Σ|work| + Σ|heat| + max|H|, the sums
    /// over all posts.
    double imbalance(double energy, std::size_t lane) const {
        const double change = energy - opening_energy_[lane];
        // Sums first and carries after them, so that the large parts cancel first.
        double booked = 0.0, small = 0.0;
        for (std::size_t account : {work, heat, source, injected, shadow}) {
            if (account >= accounts_) break;
            const double sign = account == heat ? -1.0 : 1.0;
            add_compensated(booked, small, sign * sum_[account * lanes_ + lane]);
            add_compensated(booked, small, sign * carry_[account * lanes_ + lane]);
        }
        const double scale =
            turnover_[lane] + std::max(std::abs(energy), std::abs(opening_energy_[lane]));
        return scale > 0.0 ? std::abs((change - booked) - small) / scale : 0.0;
    }

    /// The books as one flat row of numbers, for saving, and back.
    std::vector<double> pack() const {
        std::vector<double> packed;
        const auto put = [&](const auto& part) {
            packed.insert(packed.end(), part.begin(), part.end());
        };
        put(sum_);
        put(carry_);
        put(turnover_);
        put(opening_energy_);
        return packed;
    }
    std::size_t packed_size() const { return 2 * sum_.size() + 2 * lanes_; }
    void unpack(const double* packed) {
        const auto take = [&](auto& part) {
            for (auto& number : part)
                number = static_cast<std::decay_t<decltype(number)>>(*packed++);
        };
        take(sum_);
        take(carry_);
        take(turnover_);
        take(opening_energy_);
    }

   private:
    static constexpr std::size_t lanes_ = block_width;
    bool itemised_;
    std::size_t accounts_;
    std::vector<double> sum_, opening_energy_;
    std::vector<Half> carry_, turnover_;
};

}  // namespace ktc
