#pragma once

#include <cstddef>
#include <vector>

#include "motion/block.hpp"

namespace ktc {

/// Scratch memory, one a thread, kept from call to call. It is no part of what an engine is: a copy
/// gets its own.
class Workspaces {
   public:
    Workspaces() = default;
    Workspaces(const Workspaces&) {}
    Workspaces& operator=(const Workspaces&) { return *this; }

    void provide(std::size_t threads, std::size_t rows, std::size_t heat_accounts) {
        while (all_.size() < threads) all_.emplace_back(rows, heat_accounts);
    }
    void clear() { all_.clear(); }
    Workspace& operator[](std::size_t worker) { return all_[worker]; }

   private:
    std::vector<Workspace> all_;
};

}  // namespace ktc
