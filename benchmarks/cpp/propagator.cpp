#include "motion/propagator.hpp"

#include <cstdio>
#include <string>
#include <vector>

#include "ground/dense.hpp"
#include "measure.hpp"

namespace {

using namespace ktc;

/// A ring of unit cells, each coupled to its two neighbours.
Matrix ring(std::size_t units) {
    Matrix stiffness = Matrix::identity(units);
    for (std::size_t i = 0; i < units; ++i)
        if (const std::size_t next = (i + 1) % units; next != i)
            stiffness(i, next) = stiffness(next, i) = -0.2;
    return stiffness;
}

/// One hold of one block of replicas, again and again: noise, motion, heat and supply.
void hold(const char* name, std::size_t units, bool inertia, double goal) {
    const Network network(Matrix::identity(units),
                          std::vector<double>(inertia ? units : std::size_t{0}, 1.0));
    const Coordinates coordinates = natural_coordinates(network, ring(units));
    const auto propagator = exact_propagator(coordinates, 1.0, 0.1);
    const std::size_t n = network.dimension();
    std::vector<double> state(n * block_width, 0.0);
    const std::vector<double> force = coordinates.force(std::vector<double>(units, 1.0));
    const Drive drive{force, {}, {}};
    Workspace workspace(n, 0);
    Posts posts;
    NoiseAddress address{7, 0, 0, 0, block_width / group_width};
    benchmarks::measure(name, "unit-steps/s", goal, static_cast<double>(units * block_width), [&] {
        propagator->advance(state.data(), drive, address, workspace, posts);
        ++address.step;
    });
    double square = 0.0;
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const double deviation = state[i * block_width + lane] - force[i];
            square += deviation * deviation;
        }
    std::printf("  mean square in natural coordinates %.3f, expected kT = 1\n",
                square / static_cast<double>(n * block_width));
}

}  // namespace

int main() {
    ktc::use_one_library_thread();
    hold("hold, 64 coupled units, overdamped", 64, false, 3.5e8);
    hold("hold, 1 unit with inertia", 1, true, 2e8);
    hold("hold, 64 coupled units with inertia", 64, true, 4.5e7);
}
