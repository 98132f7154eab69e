#include <algorithm>
#include <cmath>

#include "engine/visit.hpp"
#include "ground/dense.hpp"
#include "ground/error.hpp"

namespace ktc {

template <class Visit>
void Engine::for_each_replica(Visit&& visit) const {
    for (const Block& block : blocks())
        for (std::size_t lane = block.begin; lane < block.end; ++lane)
            visit(block, lane, block.first_row + lane - block.begin);
}

void Engine::read(std::size_t begin, std::size_t end, double* out) const {
    const std::size_t rows = end - begin;
    std::vector<double> kept, scratch;
    for (const Block& block : blocks()) {
        const double* state = public_state(block, kept, scratch);
        // Whole rows of the state at a time, which lie together.
        for (std::size_t i = begin; i < end; ++i)
            for (std::size_t lane = block.begin; lane < block.end; ++lane)
                out[(block.first_row + lane - block.begin) * rows + i - begin] =
                    state[i * block_width + lane];
    }
}

void Engine::energy(double* out) const {
    double energy[block_width];
    Workspace workspace(rows(), 0);
    for (const Block& block : blocks()) {
        block_energy(setting_, seen(block, workspace.state), workspace, energy);
        std::copy(energy + block.begin, energy + block.end, out + block.first_row);
    }
}

void Engine::balance(std::size_t account, double* out) const {
    for_each_replica([&](const Block& block, std::size_t lane, std::size_t row) {
        out[row] = block.ledger.balance(account, lane);
    });
}

void Engine::energy_change(double* out) const {
    energy(out);
    for_each_replica([&](const Block& block, std::size_t lane, std::size_t row) {
        out[row] -= block.ledger.opening_energy(lane);
    });
}

double Engine::imbalance() const {
    std::vector<double> now(range_.count);
    energy(now.data());
    double largest = 0.0;
    for_each_replica([&](const Block& block, std::size_t lane, std::size_t row) {
        const double own = block.ledger.imbalance(now[row], lane);
        if (!(own <= largest) && !std::isnan(largest)) largest = own;
    });
    return largest;
}

Engine::Snapshot Engine::snapshot() const {
    Snapshot result{{}, {}, step_, time_, time_carry_, setting_.controls};
    for (const Block& block : blocks()) {
        block.state.save(result.state);
        const std::vector<double> packed = block.ledger.pack();
        result.ledger.insert(result.ledger.end(), packed.begin(), packed.end());
    }
    return result;
}

void Engine::restore(const Snapshot& snapshot) {
    const std::size_t size = rows() * block_width;
    const std::size_t books = blocks_.front().ledger.packed_size();
    require(snapshot.state.size() == blocks_.size() * size &&
                snapshot.ledger.size() == blocks_.size() * books,
            "the saved state belongs to a network or an ensemble of another size");
    setting_ = setting_at(snapshot.controls, &setting_);
    step_ = snapshot.step;
    time_ = snapshot.time;
    time_carry_ = snapshot.time_carry;
    unfinished_.clear();
    for (std::size_t k = 0; k < blocks_.size(); ++k) {
        blocks_[k].state.load(snapshot.state.data() + k * size);
        blocks_[k].ledger.unpack(snapshot.ledger.data() + k * books);
        blocks_[k].step = step_;
        blocks_[k].lost = false;
    }
}

}  // namespace ktc
