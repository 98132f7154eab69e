#include "ground/normal.hpp"

#include <cstdint>
#include <cstdio>
#include <vector>

#include "measure.hpp"

/// Standard normals by address: ten rounds of Philox and the transform of Box and Muller.
int main() {
    using namespace ktc;
    constexpr std::size_t groups = 4096;
    std::vector<double> values(groups * group_width);
    std::uint64_t step = 0;
    benchmarks::measure("normals, 64 bits, by address", "normals/s", 4.5e8,
                        static_cast<double>(values.size()), [&] {
                            for (std::uint64_t g = 0; g < groups; ++g)
                                normals16({7, Purpose::hold, g, 0, step},
                                          values.data() + g * group_width);
                            ++step;
                        });
    double square = 0.0;
    for (double z : values) square += z * z;
    // 65536 normals: the mean square is 1 ± 0.0055.
    std::printf("  mean square %.4f, expected 1\n", square / static_cast<double>(values.size()));
}
