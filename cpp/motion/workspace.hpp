#pragma once

#include <cstddef>
#include <vector>

#include "ground/aligned.hpp"
#include "ground/block_width.hpp"
#include "motion/posts.hpp"

namespace ktc {

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
    std::vector<double> state;  ///< a block's state in double precision, where it is stored single
    Posts posts;
    Workspace(std::size_t rows, std::size_t heat_accounts)
        : first(2 * rows * block_width), second(rows * block_width) {
        posts.heat_per_account.resize(heat_accounts * block_width);
    }
};

}  // namespace ktc
