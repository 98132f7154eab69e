#include "kernels/kernels.hpp"

#include <cstdint>
#include <cstdio>
#include <vector>

#include "measure.hpp"

using namespace ktc;

namespace {

constexpr std::size_t groups = 4096;

/// Mean square of 65536 normals or more: 1 ± 0.0055.
template <class Real>
void check(const std::vector<Real>& values) {
    double square = 0.0;
    for (Real z : values) square += double{z} * double{z};
    std::printf("  mean square %.4f, expected 1\n", square / static_cast<double>(values.size()));
}

}  // namespace

/// Standard normals by address: ten rounds of Philox and the transform of Box and Muller.
int main() {
    std::uint64_t step = 0;
    std::vector<double> values(groups * group_width);
    benchmarks::measure("normals, 64 bits, by address", "normals/s", 4.5e8,
                        static_cast<double>(values.size()), [&] {
                            for (std::uint64_t g = 0; g < groups; ++g)
                                kernels().full.normals({7, Purpose::hold, g, 0, step},
                                                       values.data() + g * group_width);
                            ++step;
                        });
    check(values);
    std::vector<float> singles(groups * group_width_single);
    benchmarks::measure("normals, 32 bits, by address", "normals/s", 1.25e9,
                        static_cast<double>(singles.size()), [&] {
                            for (std::uint64_t g = 0; g < groups; ++g)
                                kernels().single.normals({7, Purpose::hold, g, 0, step},
                                                         singles.data() + g * group_width_single);
                            ++step;
                        });
    check(singles);
}
