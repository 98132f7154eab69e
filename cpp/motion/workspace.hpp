#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "ground/matrix.hpp"
#include "physics/ledger.hpp"

namespace ktc {

/// Energies that one move posts to the ledger, per lane. Every move fills `heat` and `supply`; only
/// itemised moves fill the other accounts.
struct Posts {
    double heat[block_width] = {};
    double supply[block_width] = {};
    double source[block_width] = {};
    double injected[block_width] = {};
    double shadow[block_width] = {};
    double entropy[block_width] = {};
    std::vector<double> heat_per_account;  ///< [account][lane]
    bool itemised = false;
    /// Whether the accounts that most networks never use have changed.
    bool has_source = false, has_injected = false, has_shadow = false;

    /// Begins an itemised move.
    void clear() {
        for (double* account : {heat, supply, source, injected, shadow, entropy})
            std::fill(account, account + block_width, 0.0);
        std::fill(heat_per_account.begin(), heat_per_account.end(), 0.0);
        has_source = has_injected = has_shadow = false;
        itemised = true;
    }

    void post_to(Ledger& ledger) const {
        ledger.post(Ledger::heat, heat);
        ledger.post(Ledger::supply, supply);
        if (!itemised) return;
        if (has_source) ledger.post(Ledger::source, source);
        if (has_injected) ledger.post(Ledger::injected, injected);
        if (has_shadow) ledger.post(Ledger::shadow, shadow);
        ledger.post(Ledger::entropy, entropy);
        for (std::size_t at = 0; at < heat_per_account.size(); at += block_width)
            ledger.post(Ledger::first_heat + at / block_width, heat_per_account.data() + at);
    }
};

/// Scratch memory of one thread, reused by all blocks that it moves.
struct Workspace {
    /// Room for a number of doubles, or as many floats.
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
    std::vector<double> state;   ///< a block's state in double precision, where it is stored single
    std::vector<double> before;  ///< a block's state before a step
    Posts posts;
    Workspace(std::size_t rows, std::size_t heat_accounts)
        : first(2 * rows * block_width + modal_tile * block_width), second(rows * block_width) {
        posts.heat_per_account.resize(heat_accounts * block_width);
    }
};

}  // namespace ktc
