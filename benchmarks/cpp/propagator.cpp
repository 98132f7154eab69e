#include "motion/propagator.hpp"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "ground/dense.hpp"
#include "measure.hpp"
#include "motion/hold_propagator.hpp"
#include "motion/midpoint_propagator.hpp"
#include "motion/splitting_propagator.hpp"
#include "motion/state_format.hpp"

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

Matrix all_to_all(std::size_t units) {
    Matrix stiffness = ring(units);
    for (std::size_t i = 0; i < units; ++i)
        for (std::size_t j = 0; j < units; ++j)
            if (i != j) stiffness(i, j) += 0.01;
    return stiffness;
}

/// One hold of one block of replicas, again and again, with its ledger.
void hold(const char* name, std::size_t units, bool inertia, double goal) {
    const Network network(Matrix::identity(units),
                          std::vector<double>(inertia ? units : std::size_t{0}, 1.0));
    const std::vector<double> ones(units, 1.0), zeros(units, 0.0);
    const Setting setting = make_setting(
        network, {ones, Stiffness(ring(units)), ones, zeros, zeros, {}}, Motion::exact, nullptr);
    const auto format = std::make_shared<const StateFormat>(network, setting, Precision::full);
    ReplicaBlock block{
        BlockState(format), Ledger(std::make_shared<const Accounts>(0)), 7, 0, 0, block_width, 0};
    TickBatch batch;
    batch.append({nullptr, hold_propagator(network, setting, Motion::exact, *format, 0.1, 0.0),
                  setting.drive, 1});
    const std::size_t n = network.dimension();
    Workspace workspace(n, 0);
    benchmarks::measure(name, "unit-steps/s", goal, static_cast<double>(units * block_width),
                        [&] { batch.play(block, workspace); });
    const double* state = block.state.numbers<double>();
    double square = 0.0;
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const double deviation = state[i * block_width + lane] - setting.drive->force[i];
            square += deviation * deviation;
        }
    std::printf("  mean square in natural coordinates %.3f, expected kT = 1\n",
                square / static_cast<double>(n * block_width));
}

/// Steps of all-to-all coupled quartic units, with every account of the splitting integrator.
void split(const char* name, std::size_t units, double goal) {
    const Network network(Matrix::identity(units), {});
    const Energy energy{Stiffness(all_to_all(units)), std::vector<double>(units, 1.0)};
    const std::vector<double> kT(network.elements().accounts(), 1.0);
    const auto propagator = splitting_propagator(network.elements(), energy, kT, 0.01, 0.01);
    std::vector<double> state(units * block_width, 0.0);
    const Drive drive{std::vector<double>(units, 0.0), std::vector<double>(units, 0.0), {}};
    Workspace workspace(units, units);
    NoiseAddress address{7, 0, 0, 0, block_width / group_width};
    benchmarks::measure(name, "unit-steps/s", goal, static_cast<double>(units * block_width), [&] {
        propagator->advance(state.data(), drive, address, workspace, workspace.posts);
        ++address.step;
    });
}

/// Midpoint steps of the same units, all at once.
template <class Real>
void together(const char* name, std::size_t units, double goal) {
    const Network network(Matrix::identity(units), {});
    const auto energy = std::make_shared<const Energy>(
        Energy{Stiffness(all_to_all(units)), std::vector<double>(units, 1.0)});
    const MidpointPropagator<Real> midpoint(network.elements(), energy, 1.0, 0.64, 0.01,
                                            std::vector<double>(units, 1.0));
    std::vector<Real> state(units * block_width, Real(0));
    Workspace workspace(units, 0);
    NoiseAddress address{7, 0, 0, 0, block_width / replicas_of_a_group<Real>};
    const std::vector<double> force(units, 0.0);
    const std::uint64_t steps = midpoint.steps();
    benchmarks::measure(
        name, "unit-steps/s", goal, static_cast<double>(steps * units * block_width), [&] {
            midpoint.advance(state.data(), force, address, steps, workspace, workspace.posts);
            address.step += steps;
        });
}

}  // namespace

int main() {
    ktc::use_one_library_thread();
    split("step, 1 quartic unit", 1, 3.5e8);
    split("step, 64 quartic units, all to all", 64, 4e8);
    together<double>("64 steps, 64 quartic units at once", 64, 3e8);
    together<float>("64 steps, 64 quartic units at once, single", 64, 6e8);
    together<double>("64 steps, 1024 quartic units at once", 1024, 3.8e7);
    together<float>("64 steps, 1024 quartic units at once, single", 1024, 8e7);
    hold("hold, 64 coupled units, overdamped", 64, false, 3.5e8);
    hold("hold, 1 unit with inertia", 1, true, 2e8);
    hold("hold, 64 coupled units with inertia", 64, true, 4.5e7);
}
