#pragma once

#include <cstddef>
#include <cstdint>

#include "motion/block_state.hpp"
#include "motion/noise_address.hpp"
#include "physics/ledger.hpp"

namespace ktc {

/// A block of replicas: their states, their ledger, and where their noise is.
struct ReplicaBlock {
    BlockState state;
    Ledger ledger;
    std::uint64_t seed;
    std::uint64_t number;    ///< among all blocks of the seed
    std::size_t begin, end;  ///< lanes that hold replicas in use
    std::size_t first_row;   ///< row of the first of them in outputs
    std::uint64_t step = 0;  ///< number of the next step of noise
    bool diverged = false;   ///< whether the state or the ledger is no longer finite

    /// Address of the noise of groups of `group` replicas.
    NoiseAddress address(std::size_t group = group_width) const {
        return {seed, step, number * (block_width / group), begin / group,
                (end + group - 1) / group};
    }

    bool is_finite() const {
        double sum = 0.0;
        for (std::size_t lane = begin; lane < end; ++lane)
            sum += 0.0 * ledger.balance(Ledger::heat, lane) +
                   0.0 * ledger.balance(Ledger::shadow, lane);
        return sum == 0.0 && state.is_finite(begin, end);
    }
};

}  // namespace ktc
