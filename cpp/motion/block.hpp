#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "ground/aligned.hpp"
#include "ground/block_width.hpp"
#include "ground/streams.hpp"
#include "kernels/kernels.hpp"

namespace ktc {

/// Where a block's random numbers are: its place among all replicas of the seed, and the step.
struct NoiseAddress {
    std::uint64_t seed;
    std::uint64_t step;
    std::uint64_t first_group;  ///< number of the block's first group of replicas
    std::size_t begin_group;    ///< groups [begin, end) of the block hold replicas of ours
    std::size_t end_group;
};

/// Normals of one element for every lane of a block; zero where no replica of ours is.
inline void row_of_normals(const NoiseAddress& at, Purpose purpose, std::size_t element,
                           double* row) {
    std::fill(row, row + at.begin_group * group_width, 0.0);
    for (std::size_t g = at.begin_group; g < at.end_group; ++g)
        kernels().full.normals(
            {at.seed, purpose, at.first_group + g, static_cast<std::uint32_t>(element), at.step},
            row + g * group_width);
    std::fill(row + at.end_group * group_width, row + block_width, 0.0);
}

/// What drives a hold, held through it.
struct Drive {
    std::vector<double> force;    ///< β, in the coordinates of the state
    std::vector<double> emf;      ///< e_r, one a resistor; empty where all are zero
    std::vector<double> current;  ///< I_s, one a current source
};

/// What one move writes down, per lane, in the accounts of physics/ledger.hpp. Exact moves know
/// total heat and supply alone; the others are theirs to leave alone.
struct Posts {
    double heat[block_width] = {};
    double supply[block_width] = {};
    double source[block_width] = {};
    double injected[block_width] = {};
    double shadow[block_width] = {};
    double entropy[block_width] = {};
    std::vector<double> heat_per_account;  ///< [account][lane]
    /// Accounts that most networks never move need no posting.
    bool has_source = false, has_injected = false, has_shadow = false;

    void clear() {
        for (double* account : {heat, supply, source, injected, shadow, entropy})
            std::fill(account, account + block_width, 0.0);
        std::fill(heat_per_account.begin(), heat_per_account.end(), 0.0);
        has_source = has_injected = has_shadow = false;
    }
};

/// Scratch memory of one thread, reused by all blocks that it moves.
struct Workspace {
    /// Room for a number of doubles, or as many in single precision.
    class Scratch {
       public:
        explicit Scratch(std::size_t size) : room_(size * sizeof(double)) {}
        double* data() { return numbers<double>(); }
        template <class Real>
        Real* numbers() {
            return reinterpret_cast<Real*>(room_.data());
        }

       private:
        Aligned<std::byte> room_;
    };
    Scratch first, second;
    std::vector<double> state;  ///< a block's own, where it is not kept in double precision
    Posts posts;
    Workspace(std::size_t rows, std::size_t heat_accounts)
        : first(2 * rows * block_width), second(rows * block_width) {
        posts.heat_per_account.resize(heat_accounts * block_width);
    }
};

}  // namespace ktc
