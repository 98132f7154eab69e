#pragma once

#include <optional>

#include "kernels/kernels.hpp"
#include "physics/ledger.hpp"

namespace ktc {

/// Accounts that nobody reads.
struct SpilledAccounts {
    double sums[Ledger::injected][block_width] = {};
    UpperHalf carries[Ledger::injected][block_width] = {};
    UpperHalf turnover[block_width] = {};
};

/// The accounts of a block as kernels post to them. Posts to accounts that the ledger does not keep
/// are spilled.
class BlockBooks {
   public:
    explicit BlockBooks(Ledger& ledger) : ledger_(ledger), kept_(ledger.accounts()) {
        if (!kept_.complete() || !kept_.keeps(Ledger::source)) spill_.emplace();
    }

    /// From a lane on.
    ModalBooks modal(std::size_t lane) {
        return {lane + sums(Ledger::work),
                lane + carries(Ledger::work),
                lane + sums(Ledger::heat),
                lane + carries(Ledger::heat),
                lane + sums(Ledger::supply),
                lane + carries(Ledger::supply),
                lane + (kept_.close() ? ledger_.turnover() : spill_->turnover)};
    }
    DrivenBooks driven(std::size_t lane) {
        return {modal(lane), lane + sums(Ledger::source), lane + carries(Ledger::source)};
    }

   private:
    double* sums(Ledger::Account account) {
        return kept_.keeps(account) ? ledger_.sums(account) : spill_->sums[account];
    }
    UpperHalf* carries(Ledger::Account account) {
        return kept_.keeps(account) ? ledger_.carries(account) : spill_->carries[account];
    }

    Ledger& ledger_;
    const Accounts& kept_;
    std::optional<SpilledAccounts> spill_;
};

}  // namespace ktc
