#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "physics/ledger.hpp"
#include "physics/network.hpp"

namespace ktc {

/// How replicas of a network move: by one exact move per hold, by midpoint steps of all units
/// together, or by steps of the splitting integrator, which books the heat of each resistor apart;
/// `pooled` steps are the same and book all heat in one account.
enum class Motion { exact, midpoint, split, pooled };
inline constexpr std::array<std::string_view, 4> motion_names{"exact", "midpoint", "split",
                                                              "pooled"};

/// Raises on a name that no motion has.
Motion motion_named(std::string_view name);
constexpr std::string_view name_of(Motion motion) {
    return motion_names[static_cast<std::size_t>(motion)];
}

/// The motion of a network at given controls: split where the heat of each resistor is wanted, or
/// nothing else applies.
Motion motion_of(const Network& network, const Controls& controls, bool resolve_heat);

/// Raises where a network does not move in this way at these controls.
void check_motion(const Network& network, const Controls& controls, Motion motion);

/// Whether the books of a motion have an account, numbered as in Accounts.
constexpr bool has_account(Motion motion, std::size_t account) {
    if (account < Accounts::entropy) return true;
    return motion == Motion::split || (motion == Motion::pooled && account == Accounts::entropy);
}

}  // namespace ktc
