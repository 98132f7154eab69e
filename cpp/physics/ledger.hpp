#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/kernels.hpp"

namespace ktc {

/// The energy accounts that a ledger keeps, in order.
class Accounts {
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

    /// Names for users; all heat accounts, from first_heat on, share the last one.
    static constexpr std::array<std::string_view, first_heat + 1> names{
        "work",     "heat",   "supply",       "source",
        "injected", "shadow", "entropy_flow", "heat_per_resistor"};

    /// Without `heat_accounts` there are the three accounts of exact moves, and that of the sources
    /// if they are `driven`. `wanted` has one flag per account to keep, the last one for all heat
    /// accounts; empty keeps all.
    explicit Accounts(std::size_t heat_accounts, const std::vector<bool>& wanted = {},
                      bool driven = false) {
        const std::size_t plain = driven ? injected : source;
        const std::size_t all = heat_accounts > 0 ? first_heat + heat_accounts : plain;
        for (std::size_t account = 0; account < all; ++account) {
            const auto flag = std::min<std::size_t>(account, first_heat);
            slot_.push_back(wanted.empty() || wanted[flag] ? kept_++ : none);
        }
    }

    bool keeps(std::size_t account) const {
        return account < slot_.size() && slot_[account] != none;
    }
    /// Place of an account among those that are kept.
    std::size_t slot(std::size_t account) const { return slot_[account]; }
    std::size_t kept() const { return kept_; }
    /// Whether all accounts of exact moves are kept.
    bool complete() const { return keeps(work) && keeps(heat) && keeps(supply); }
    /// Whether the first law can be checked; such a ledger has a turnover.
    bool close() const { return keeps(work) && keeps(heat); }

   private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::vector<std::size_t> slot_;
    std::size_t kept_ = 0;
};

/// The energy ledger of a block of replicas (Sekimoto, Prog. Theor. Phys. Suppl. 130, 17, 1998).
/// Each account is a compensated sum of posts per replica, of 73 bits in twelve bytes. Work
/// done on the network and heat that flows into its resistors are positive; the first law reads
///     ΔH = work + source + injected + shadow − heat.
/// Accounts that are not kept take no memory, and posts to them are lost.
class Ledger {
   public:
    using Account = Accounts::Account;
    static constexpr Account work = Accounts::work, heat = Accounts::heat,
                             supply = Accounts::supply, source = Accounts::source,
                             injected = Accounts::injected, shadow = Accounts::shadow,
                             entropy = Accounts::entropy, first_heat = Accounts::first_heat;

    explicit Ledger(std::shared_ptr<const Accounts> accounts)
        : accounts_(std::move(accounts)),
          numbers_((accounts_->kept() + 1) * lanes_, 0.0),
          carries_((accounts_->kept() + (accounts_->close() ? 1 : 0)) * lanes_) {}

    const Accounts& accounts() const { return *accounts_; }

    /// Sets all accounts to zero and starts at the given energies.
    void open(const double* energy) {
        std::fill(numbers_.begin(), numbers_.end(), 0.0);
        std::fill(carries_.begin(), carries_.end(), UpperHalf());
        std::copy(energy, energy + lanes_, numbers_.end() - lanes_);
    }

    void post(std::size_t account, const double* amount) {
        if (!accounts_->keeps(account)) return;
        kernels().ledger_post(sums(account), carries(account), amount);
        if (accounts_->close() && (account == work || account == heat))
            kernels().ledger_turn(turnover(), amount);
    }

    /// Sums and carries of an account that is kept, and the turnover if there is one, for kernels
    /// that post by themselves.
    double* sums(std::size_t account) { return numbers_.data() + at(account, 0); }
    UpperHalf* carries(std::size_t account) { return carries_.data() + at(account, 0); }
    UpperHalf* turnover() { return carries_.data() + accounts_->kept() * lanes_; }

    /// Balance of an account, zero if it is not kept.
    double balance(std::size_t account, std::size_t lane) const {
        if (!accounts_->keeps(account)) return 0.0;
        return numbers_[at(account, lane)] + carries_[at(account, lane)];
    }
    double opening_energy(std::size_t lane) const {
        return numbers_[accounts_->kept() * lanes_ + lane];
    }

    /// |ΔH − (work + source + injected + shadow − heat)| over Σ|work| + Σ|heat| + max|H|, with sums
    /// over all posts.
    ///
    /// Twenty bits suffice for this turnover, which only scales the imbalance. It stops growing at
    /// about a million times a post, so that the imbalance of very long runs is overestimated.
    double imbalance(double energy, std::size_t lane) const {
        const double change = energy - opening_energy(lane);
        // Rounding errors are subtracted last, after the large parts have cancelled.
        double booked = 0.0, small = 0.0;
        for (std::size_t account : {work, heat, source, injected, shadow}) {
            if (!accounts_->keeps(account)) continue;
            const double sign = account == heat ? -1.0 : 1.0;
            add_compensated(booked, small, sign * numbers_[at(account, lane)]);
            add_compensated(booked, small, sign * carries_[at(account, lane)]);
        }
        const double turnover =
            accounts_->close() ? carries_[accounts_->kept() * lanes_ + lane] : 0.0;
        const double scale = turnover + std::max(std::abs(energy), std::abs(opening_energy(lane)));
        return scale > 0.0 ? std::abs((change - booked) - small) / scale : 0.0;
    }

    /// The ledger as one flat row of numbers for saving; unpack() reads it back.
    std::vector<double> pack() const {
        std::vector<double> packed(numbers_);
        packed.insert(packed.end(), carries_.begin(), carries_.end());
        return packed;
    }
    std::size_t packed_size() const { return numbers_.size() + carries_.size(); }
    void unpack(const double* packed) {
        std::copy_n(packed, numbers_.size(), numbers_.begin());
        std::transform(packed + numbers_.size(), packed + packed_size(), carries_.begin(),
                       [](double number) { return UpperHalf(number); });
    }

   private:
    static constexpr std::size_t lanes_ = block_width;
    std::size_t at(std::size_t account, std::size_t lane) const {
        return accounts_->slot(account) * lanes_ + lane;
    }
    std::shared_ptr<const Accounts> accounts_;
    std::vector<double> numbers_;     ///< sums of the accounts, and the opening energy
    std::vector<UpperHalf> carries_;  ///< carries of the accounts, and the turnover
};

}  // namespace ktc
