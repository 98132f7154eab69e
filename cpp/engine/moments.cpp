#include <algorithm>

#include "engine/engine.hpp"
#include "engine/workers.hpp"
#include "ground/compensated_sum.hpp"
#include "ground/dense.hpp"

namespace ktc {
namespace {

// Sums run over blocks in order within a part and over parts in order, and the parts depend on the
// number of blocks alone: the result has the same bits on any number of threads.
constexpr std::size_t parts_at_most = 64;

/// Σ (x − reference) over lanes [begin, end), by eight sums that do not wait for one another.
template <class Real>
double row_sum(const Real* row, double reference, std::size_t begin, std::size_t end) {
    double sums[8] = {};
    for (; begin + 8 <= end; begin += 8)
        for (std::size_t k = 0; k < 8; ++k) sums[k] += row[begin + k] - reference;
    for (std::size_t k = 0; begin < end; ++begin, ++k) sums[k] += row[begin] - reference;
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
           ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

}  // namespace

Moments Engine::moments(bool with_covariance) const {
    const std::size_t n = network_.dimension();
    const Matrix& to_state = setting_.coordinates->to_state;
    const std::vector<Block>& all = blocks();
    // Natural coordinates spread about their force, so that sums about it keep their digits.
    const std::vector<double> reference =
        setting_.coordinates->natural ? setting_.drive.force : std::vector<double>(n, 0.0);
    std::vector<double> sum(n, 0.0), carry(n, 0.0);
    const SingleFrame single = frame(setting_.drive.force);
    const auto part_of = [&](const Block& block, std::size_t i) {
        const std::size_t at = i * block_width;
        if (precision_ == Precision::full)
            return row_sum(block.state.full() + at, reference[i], block.begin, block.end);
        const double lanes = static_cast<double>(block.end - block.begin);
        return single.unit[i] *
                   row_sum(block.state.numbers<float>() + at, 0.0, block.begin, block.end) +
               lanes * (single.offset[i] - reference[i]);
    };
    for (const Block& block : all)
        for (std::size_t i = 0; i < n; ++i) add_compensated(sum[i], carry[i], part_of(block, i));
    const double count = static_cast<double>(range_.count);
    std::vector<double> mean(n);
    for (std::size_t i = 0; i < n; ++i) mean[i] = reference[i] + (sum[i] + carry[i]) / count;
    Moments result{to_state.empty() ? mean : multiply(to_state, mean), {}};
    if (!with_covariance) return result;

    const std::size_t per_part = (all.size() + parts_at_most - 1) / parts_at_most;
    const std::size_t parts = (all.size() + per_part - 1) / per_part;
    std::vector<Matrix> partial(parts, Matrix(n, n));
    const double size = static_cast<double>(all.size() * block_width * n);
    const std::size_t threads = threads_for(size * static_cast<double>(n) / 16.0);
    run_parallel(parts, threads, [&](std::size_t part, std::size_t) {
        std::vector<double> deviation(n * block_width, 0.0), own;
        const std::size_t stop = std::min(all.size(), (part + 1) * per_part);
        for (std::size_t k = part * per_part; k < stop; ++k) {
            const Block& block = all[k];
            const double* state = seen(block, own);
            std::fill(deviation.begin(), deviation.end(), 0.0);
            for (std::size_t i = 0; i < n; ++i)
                for (std::size_t lane = block.begin; lane < block.end; ++lane)
                    deviation[i * block_width + lane] = state[i * block_width + lane] - mean[i];
            add_outer_block(deviation.data(), n, block_width, partial[part]);
        }
    });
    Matrix total(n, n);
    for (const Matrix& part : partial) total = add(1.0, total, 1.0 / count, part);
    if (!to_state.empty())
        total = multiply(multiply(to_state, total), to_state, Transposed::no, Transposed::yes);
    result.covariance = symmetrised(total);
    return result;
}

}  // namespace ktc
