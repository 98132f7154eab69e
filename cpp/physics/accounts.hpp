#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace ktc {

/// Which energy accounts books keep, and in which order.
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

    /// As users name them; all heat accounts, from first_heat on, share the last name.
    static constexpr std::array<std::string_view, first_heat + 1> names{
        "work",     "heat",   "supply",       "source",
        "injected", "shadow", "entropy_flow", "heat_per_resistor"};

    /// `heat_accounts` 0 are the three accounts of exact moves. Of what there is, `wanted` are
    /// kept, a flag an account and the last one for all heats by account; empty for all.
    explicit Accounts(std::size_t heat_accounts, const std::vector<bool>& wanted = {}) {
        const std::size_t all = heat_accounts > 0 ? first_heat + heat_accounts : source;
        for (std::size_t account = 0; account < all; ++account) {
            const auto flag = std::min<std::size_t>(account, first_heat);
            slot_.push_back(wanted.empty() || wanted[flag] ? kept_++ : none);
        }
    }

    bool keeps(std::size_t account) const {
        return account < slot_.size() && slot_[account] != none;
    }
    /// Place of an account that is kept, among those that are.
    std::size_t slot(std::size_t account) const { return slot_[account]; }
    std::size_t kept() const { return kept_; }
    /// Whether all accounts of exact moves are kept.
    bool complete() const { return keeps(work) && keeps(heat) && keeps(supply); }
    /// Whether the first law can be checked, for which books have a turnover.
    bool close() const { return keeps(work) && keeps(heat); }

   private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::vector<std::size_t> slot_;
    std::size_t kept_ = 0;
};

}  // namespace ktc
