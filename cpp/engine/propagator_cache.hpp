#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "motion/propagator.hpp"
#include "motion/setting.hpp"

namespace ktc {

/// The last few propagators by the hold they were made for. Controllers keep holding the same shape
/// for the same time, and preparing a hold may take thousands of times as long as its motion.
class PropagatorCache {
   public:
    /// The propagator of a hold at `setting`, or make() if it is not among the last ones.
    template <class Make>
    std::shared_ptr<const Propagator> find(const Setting& setting, double hold, double longest_step,
                                           Make&& make) {
        const auto known = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
            return entry.hold == hold && entry.longest_step == longest_step &&
                   entry.coordinates == setting.coordinates && entry.energy == setting.energy &&
                   entry.kT == setting.controls.kT;
        });
        if (known != entries_.end()) {
            std::rotate(entries_.begin(), known, known + 1);
            return entries_.front().propagator;
        }
        const std::size_t most =
            setting.coordinates->dimension() > large_dimension ? 1 : most_entries;
        while (entries_.size() >= most) entries_.pop_back();
        ++made_;
        entries_.insert(entries_.begin(), {setting.coordinates, setting.energy, setting.controls.kT,
                                           hold, longest_step, make()});
        return entries_.front().propagator;
    }

    /// How many were made.
    std::size_t made() const { return made_; }

   private:
    static constexpr std::size_t most_entries = 4;
    /// Dense propagators with more coordinates than this take megabytes each.
    static constexpr std::size_t large_dimension = 256;

    struct Entry {
        // Kept alive, so that no other shape can have the same address.
        std::shared_ptr<const Coordinates> coordinates;
        std::shared_ptr<const Energy> energy;
        std::vector<double> kT;
        double hold, longest_step;
        std::shared_ptr<const Propagator> propagator;
    };
    std::size_t made_ = 0;
    std::vector<Entry> entries_;  ///< the last used first
};

}  // namespace ktc
