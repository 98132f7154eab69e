#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "physics/ledger.hpp"
#include "physics/network.hpp"

namespace ktc {

/// Motion of the replicas of a network: one exact move per hold, midpoint steps of all units
/// together, or steps of the splitting integrator. `driven` is exact motion with an account of the
/// energy from sources; its heat is less what noise generators inject. `split` posts the heat of
/// each resistor to its own account, `pooled` posts all heat to one account.
enum class Motion { exact, driven, midpoint, split, pooled };
inline constexpr std::array<std::string_view, 5> motion_names{"exact", "driven", "midpoint",
                                                              "split", "pooled"};
/// Whether a hold is one move, however long.
constexpr bool is_exact(Motion motion) {
    return motion == Motion::exact || motion == Motion::driven;
}

/// The motion of a name. Raises if there is none.
Motion motion_named(std::string_view name);
constexpr std::string_view name_of(Motion motion) {
    return motion_names[static_cast<std::size_t>(motion)];
}

/// The motion of a network at given controls: `split` if the heat of each resistor is wanted or no
/// other motion applies.
Motion motion_of(const Network& network, const Controls& controls, bool resolve_heat);

/// Raises if a motion does not apply to a network at these controls.
void check_motion(const Network& network, const Controls& controls, Motion motion);

/// Whether the ledger of a motion has an account, numbered as in Accounts.
constexpr bool has_account(Motion motion, std::size_t account) {
    if (account < Accounts::entropy) return true;
    return motion == Motion::split || (motion == Motion::pooled && account == Accounts::entropy);
}

}  // namespace ktc
