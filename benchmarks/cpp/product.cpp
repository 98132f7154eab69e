#include <cstdio>
#include <vector>

#include "ground/block_width.hpp"
#include "ground/dense.hpp"
#include "kernels/packed_matrix.hpp"
#include "measure.hpp"

namespace {

double operations(std::size_t units, std::size_t lanes) {
    return 2.0 * static_cast<double>(units * units * lanes);
}

/// A (units, units) matrix by a block of replicas, as motion/midpoint_propagator.cpp does at every
/// step.
template <class Real>
void product(const char* name, std::size_t units, double goal) {
    const ktc::PackedMatrix<Real> a(units, units, [units](std::size_t, std::size_t) {
        return 1.0 / static_cast<double>(units);
    });
    const std::size_t size = units * ktc::block_width;
    ktc::Aligned<Real> block(size), out(size);
    std::fill_n(block.data(), size, Real(1));
    ktc::benchmarks::measure(name, "operations/s", goal, operations(units, ktc::block_width),
                             [&] { a.multiply(block.data(), out.data()); });
    std::printf("  an element of the product %.3f, expected 1\n",
                static_cast<double>(out.data()[size - 1]));
}

/// The library's own, for comparison: its goal is its rate on wide matrices.
void library_product(const char* name, std::size_t units, std::size_t lanes, double goal) {
    ktc::Matrix a(units, units);
    std::fill_n(a.data(), units * units, 1.0 / static_cast<double>(units));
    const std::vector<double> block(units * lanes, 1.0);
    std::vector<double> out(units * lanes);
    ktc::benchmarks::measure(name, "operations/s", goal, operations(units, lanes),
                             [&] { ktc::multiply_block(a, block.data(), out.data(), lanes); });
    std::printf("  an element of the product %.3f, expected 1\n", out.back());
}

}  // namespace

/// Goals are those of one core of a Sapphire Rapids Xeon, whose most is 83 and 166 GFLOP/s.
int main() {
    ktc::use_one_library_thread();
    product<double>("product, 64 units", 64, 7.5e10);
    product<float>("product, 64 units, single", 64, 1.5e11);
    product<double>("product, 1024 units", 1024, 7.5e10);
    product<float>("product, 1024 units, single", 1024, 1.5e11);
    library_product("the library's, 64 units, 64 replicas", 64, 64, 7e10);
    library_product("the library's, 1024 units, 64 replicas", 1024, 64, 7e10);
    library_product("the library's, 1024 units, 256 replicas", 1024, 256, 7e10);
}
