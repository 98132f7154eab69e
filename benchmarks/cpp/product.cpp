#include <cstdio>
#include <vector>

#include "ground/dense.hpp"
#include "measure.hpp"

namespace {

/// out = a · block for a (units, units) matrix, in the width that motion/midpoint.cpp gives a team.
template <class Real>
void product(const char* name, std::size_t units, std::size_t lanes, double goal) {
    const std::vector<Real> a(units * units, Real(1) / static_cast<Real>(units));
    const std::vector<Real> block(units * lanes, Real(1));
    std::vector<Real> out(units * lanes);
    const double operations = 2.0 * static_cast<double>(units * units * lanes);
    ktc::benchmarks::measure(name, "operations/s", goal, operations, [&] {
        ktc::multiply_block(a.data(), units, block.data(), out.data(), lanes);
    });
    std::printf("  an element of the product %.3f, expected 1\n", static_cast<double>(out.back()));
}

}  // namespace

/// Goals are the library's rates on wide matrices of one core of a Sapphire Rapids Xeon.
int main() {
    ktc::use_one_library_thread();
    product<double>("product, 64 units, 256 lanes", 64, 256, 7e10);
    product<float>("product, 64 units, 256 lanes, single", 64, 256, 1.5e11);
    product<double>("product, 1024 units, 256 lanes", 1024, 256, 7e10);
    product<float>("product, 1024 units, 256 lanes, single", 1024, 256, 1.5e11);
}
