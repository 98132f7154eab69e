#include <cmath>
#include <string>
#include <utility>

#include "engine/visit.hpp"
#include "ground/dense.hpp"
#include "ground/error.hpp"
#include "ground/watch.hpp"
#include "kernels/kernels.hpp"
#include "motion/quartic_equilibrium.hpp"
#include "motion/sparse_equilibrium.hpp"

namespace ktc {

void Engine::draw(const Block& block, double* state, const Stationary& stationary,
                  Workspace& workspace) const {
    const NoiseAddress at = address(block);
    const bool natural = setting_.coordinates->natural;
    double* normals = natural ? state : workspace.first.data();
    for (std::size_t i = 0; i < rows(); ++i)
        row_of_normals(at, Purpose::equilibrium, i, normals + i * block_width);
    if (!natural) multiply_block(stationary.factor, normals, state, block_width);
    const double width = natural ? std::sqrt(setting_.controls.kT.front()) : 1.0;
    const std::vector<double>& mean = natural ? setting_.drive.force : stationary.mean;
    for (std::size_t i = 0; i < rows(); ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            double& w = state[i * block_width + lane];
            w = mean[i] + width * w;
        }
}

/// Currents of low-pass filters, N(0, ½ λ S), whatever they drive.
void Engine::draw_filters(const Block& block, double* state) const {
    const Elements& elements = network_.elements();
    const NoiseAddress at = address(block);
    std::size_t row = network_.dimension();
    for (std::size_t k = 0; k < elements.noises(); ++k) {
        if (elements.noise_rate[k] == 0.0) continue;
        const double width = std::sqrt(0.5 * elements.noise_rate[k] * elements.noise_density[k]);
        double* filter = state + row * block_width;
        row_of_normals(at, Purpose::equilibrium, row, filter);
        for (std::size_t lane = 0; lane < block_width; ++lane) filter[lane] *= width;
        ++row;
    }
}

template <class Draw>
void Engine::draw_all(Draw&& draw_state, double steps_per_unit, Watch* watch, bool undo) {
    std::vector<BlockState> before;
    std::vector<bool> lost;
    for (const Block& block : blocks_) lost.push_back(block.lost);
    try {
        recover();
        for (const Block& block : blocks_)
            if (undo) before.push_back(block.state);
        for_each_block(
            [&](Block& block, Workspace& workspace) {
                if (watch != nullptr && watch->stopped()) return;
                change(block, workspace,
                       [&](double* state) { draw_state(block, state, workspace); });
                ++block.step;
                if (watch != nullptr) watch->look();
            },
            steps_per_unit, watch);
        if (watch != nullptr && watch->stopped()) throw Interrupted();
    } catch (...) {
        for (std::size_t k = 0; k < blocks_.size(); ++k) {
            if (k < before.size()) std::swap(blocks_[k].state, before[k]);
            blocks_[k].step = step_;
            blocks_[k].lost = lost[k];
        }
        throw;
    }
    ++step_;
    open_books();
}

void Engine::start(const double* state, Watch& watch, bool undo) {
    if (state == nullptr) {
        draw_stationary(watch, undo);
        return;
    }
    recover();
    // The first step's noise is for drawing a state.
    ++step_;
    Workspace workspace(rows(), 0);
    for (Block& block : blocks_) {
        change(block, workspace, [&](double* at) { draw_filters(block, at); });
        ++block.step;
    }
    place(state);
}

void Engine::restart(Controls controls, const double* state,
                     const std::function<bool()>& keep_going) {
    struct {
        Setting setting;
        std::uint64_t step;
        double time, time_carry;
    } const before{setting_, step_, time_, time_carry_};
    const auto stand_at = [&](Setting setting, std::uint64_t step, double time, double carry) {
        setting_ = std::move(setting);
        step_ = step;
        time_ = time;
        time_carry_ = carry;
        for (Block& block : blocks_) block.step = step_;
    };
    Setting first = setting_at(std::move(controls), &setting_);
    if (!any_lost()) blocks();
    Watch watch(keep_going);
    stand_at(std::move(first), 0, 0.0, 0.0);
    try {
        start(state, watch, true);
    } catch (...) {
        stand_at(before.setting, before.step, before.time, before.time_carry);
        throw;
    }
}

void Engine::equilibrate(const std::function<bool()>& keep_going) {
    Watch watch(keep_going);
    draw_stationary(watch, true);
}

void Engine::draw_stationary(Watch& watch, bool undo) {
    if (network_.is_sparse() && !setting_.controls.has_quartic() &&
        network_.moves_exactly(setting_.controls) &&
        SparseEquilibrium::applies(setting_.controls.stiffness.sparse())) {
        const SparseEquilibrium equilibrium(setting_.controls);
        draw_all([&](const Block& block, double* state,
                     Workspace&) { equilibrium.draw(state, address(block), watch); },
                 100.0, &watch, undo);
        return;
    }
    require(!network_.is_sparse() || network_.units() <= most_dense_units,
            "the stationary state of a sparse network of more than ", most_dense_units,
            " units is drawn at one temperature, without quartic units and sources, and where "
            "its stiffness is diagonally dominant (under some scaling); give the emulator a "
            "state to start from");
    Controls controls = setting_.controls;
    controls.stiffness = controls.stiffness.densified();
    if (controls.has_quartic()) {
        require(
            controls.isothermal() && !controls.has_sources() && network_.elements().noises() == 0,
            "quartic units at several temperatures, or driven by sources, have no stationary "
            "state in closed form; give the emulator a state to start from");
        const QuarticEquilibrium equilibrium(network_, controls);
        draw_all([&](const Block& block, double* state,
                     Workspace&) { equilibrium.draw(state, address(block), watch); },
                 static_cast<double>(1 + equilibrium.sweeps()), &watch, undo);
    } else {
        const Stationary stationary =
            setting_.coordinates->natural ? Stationary{} : stationary_state(network_, controls);
        // One product: sooner done than a copy of the state is worth, which may not fit beside it.
        draw_all([&](const Block& block, double* state,
                     Workspace& workspace) { draw(block, state, stationary, workspace); },
                 1.0, undo ? nullptr : &watch, false);
    }
}

}  // namespace ktc
