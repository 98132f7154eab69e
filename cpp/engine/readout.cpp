#include "engine/readout.hpp"

#include <algorithm>
#include <cmath>

#include "ground/dense.hpp"

namespace ktc {
namespace {

// Covariances are summed over blocks in order within a part and over parts in order. The parts
// depend on the number of blocks alone, and so the bits do not depend on the number of threads.
constexpr std::size_t most_parts = 64;

}  // namespace

template <class Visit>
void Readout::for_each_replica(Visit&& visit) const {
    for (const ReplicaBlock& block : ensemble_.blocks())
        for (std::size_t lane = block.begin; lane < block.end; ++lane)
            visit(block.ledger, lane, block.first_row + lane - block.begin);
}

const double* Readout::state_of(const ReplicaBlock& block, std::vector<double>& natural,
                                std::vector<double>& out) const {
    const double* own = block.state.read(rest_of(block), natural);
    const Matrix& to_state = setting_.coordinates->to_state;
    if (to_state.empty()) return own;
    out.resize(to_state.rows() * block_width);
    multiply_block(to_state, own, out.data(), block_width);
    return out.data();
}

void Readout::state(std::size_t begin, std::size_t end, double* out) const {
    const std::size_t columns = end - begin;
    std::vector<double> natural, scratch;
    for (const ReplicaBlock& block : ensemble_.blocks()) {
        const double* state = state_of(block, natural, scratch);
        // Row by row, which are contiguous in memory.
        for (std::size_t i = begin; i < end; ++i)
            for (std::size_t lane = block.begin; lane < block.end; ++lane)
                out[(block.first_row + lane - block.begin) * columns + i - begin] =
                    state[i * block_width + lane];
    }
}

Moments Readout::moments(bool with_covariance) const {
    const Coordinates& coordinates = *setting_.coordinates;
    const std::size_t n = coordinates.dimension();
    // Natural coordinates spread about their rest: sums of deviations from it keep their digits.
    const std::vector<double> reference =
        coordinates.natural ? setting_.drive->rest : std::vector<double>(n, 0.0);
    std::vector<double> sum(n, 0.0), carry(n, 0.0);
    for (const ReplicaBlock& block : ensemble_.blocks())
        for (std::size_t i = 0; i < n; ++i)
            add_compensated(
                sum[i], carry[i],
                block.state.row_sum(i, rest_of(block), reference[i], block.begin, block.end));
    const auto count = static_cast<double>(ensemble_.range().count);
    std::vector<double> mean(n);
    for (std::size_t i = 0; i < n; ++i) mean[i] = reference[i] + (sum[i] + carry[i]) / count;
    const Matrix& to_state = coordinates.to_state;
    return {to_state.empty() ? mean : multiply(to_state, mean),
            with_covariance ? covariance(mean) : Matrix()};
}

Matrix Readout::covariance(const std::vector<double>& natural_mean) const {
    const std::vector<ReplicaBlock>& blocks = ensemble_.blocks();
    const std::size_t n = natural_mean.size();
    const std::size_t per_part = (blocks.size() + most_parts - 1) / most_parts;
    std::vector<Matrix> partial((blocks.size() + per_part - 1) / per_part, Matrix(n, n));
    const auto size = static_cast<double>(n);
    const std::size_t threads = ensemble_.threads_for(ensemble_.lanes() * size * size / 16.0);
    run_parallel(partial.size(), threads, [&](std::size_t part, std::size_t) {
        std::vector<double> deviation(n * block_width, 0.0), natural;
        const std::size_t stop = std::min(blocks.size(), (part + 1) * per_part);
        for (std::size_t k = part * per_part; k < stop; ++k) {
            const ReplicaBlock& block = blocks[k];
            const double* state = block.state.read(rest_of(block), natural);
            std::fill(deviation.begin(), deviation.end(), 0.0);
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t lane = block.begin; lane < block.end; ++lane)
                    deviation[i * block_width + lane] =
                        state[i * block_width + lane] - natural_mean[i];
            add_outer_block(deviation.data(), n, block_width, partial[part]);
        }
    });
    Matrix total(n, n);
    const auto count = static_cast<double>(ensemble_.range().count);
    for (const Matrix& part : partial) total = add(1.0, total, 1.0 / count, part);
    const Matrix& to_state = setting_.coordinates->to_state;
    if (!to_state.empty())
        total = multiply(multiply(to_state, total), to_state, Transposed::no, Transposed::yes);
    return symmetrised(total);
}

void Readout::energy(double* out) const {
    double energy[block_width];
    Workspace workspace(ensemble_.rows(), 0);
    for (const ReplicaBlock& block : ensemble_.blocks()) {
        setting_.energy_of(block.state.read(rest_of(block), workspace.state), block.number,
                           workspace, energy);
        std::copy(energy + block.begin, energy + block.end, out + block.first_row);
    }
}

void Readout::energy_change(double* out) const {
    energy(out);
    for_each_replica([&](const Ledger& ledger, std::size_t lane, std::size_t row) {
        out[row] -= ledger.opening_energy(lane);
    });
}

void Readout::balance(std::size_t account, double* out) const {
    for_each_replica([&](const Ledger& ledger, std::size_t lane, std::size_t row) {
        out[row] = ledger.balance(account, lane);
    });
}

double Readout::imbalance() const {
    std::vector<double> now(ensemble_.range().count);
    energy(now.data());
    double largest = 0.0;
    for_each_replica([&](const Ledger& ledger, std::size_t lane, std::size_t row) {
        const double own = ledger.imbalance(now[row], lane);
        if (!(own <= largest) && !std::isnan(largest)) largest = own;
    });
    return largest;
}

void Readout::observe(Statistics& statistics) const {
    const std::vector<ReplicaBlock>& blocks = ensemble_.blocks();
    statistics.begin(statistics.has_reference() ? std::vector<double>() : moments(false).mean);
    const auto units = static_cast<double>(statistics.plan().units());
    const std::size_t threads =
        ensemble_.threads_for(ensemble_.lanes() * units * statistics.cost());
    run_parallel(statistics.plan().parts(), std::min(statistics.plan().threads, threads),
                 [&](std::size_t part, std::size_t worker) {
                     Statistics::Scratch& scratch = statistics.scratch(worker);
                     const auto [first, last] = statistics.blocks_of(part);
                     for (std::size_t k = first; k < last; ++k)
                         statistics.add(part, k,
                                        state_of(blocks[k], scratch.natural, scratch.state),
                                        blocks[k].begin, blocks[k].end, scratch);
                     statistics.end(part);
                 });
}

}  // namespace ktc
