#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "ground/testing.test.hpp"
#include "kernels/kernels.hpp"

/// What the unit tests of kernels share.
namespace ktc::testing {

/// Takes kernels into use, until the end of a scope.
class Using {
   public:
    explicit Using(const Kernels& kernels) { use_kernels(kernels.instruction_set); }
    ~Using() { use_kernels(available_kernels().back()->instruction_set); }
    Using(const Using&) = delete;
    Using& operator=(const Using&) = delete;
};

/// Whether an instruction set rounds a product and a sum once: those that do have the same bits.
inline bool fuses(const Kernels& kernels) {
    const std::string name = kernels.instruction_set;
    return name == "v3" || name == "v4";
}

/// Checks that run(kernels), a vector, has the same bits on all instruction sets that fuse.
template <class Run>
void check_same_bits(Run&& run) {
    using Result = decltype(run(*available_kernels().front()));
    Result first;
    for (const Kernels* kernels : available_kernels()) {
        if (!fuses(*kernels)) continue;
        Result result = run(*kernels);
        if (first.empty()) first = result;
        REQUIRE(result.size() == first.size());
        CHECK(std::memcmp(result.data(), first.data(), sizeof(first[0]) * first.size()) == 0);
    }
}

template <class Real>
constexpr double epsilon = std::numeric_limits<Real>::epsilon();

}  // namespace ktc::testing
