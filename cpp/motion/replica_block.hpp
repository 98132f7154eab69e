#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "motion/noise_address.hpp"
#include "motion/state_format.hpp"

namespace ktc {

/// The coordinates of a block of replicas, [row][lane], stored in a StateFormat and read and
/// changed in double precision.
class BlockState {
   public:
    explicit BlockState(std::shared_ptr<const StateFormat> format)
        : format_(std::move(format)),
          full_(format_->single() ? 0 : format_->rows() * block_width, 0.0),
          single_(format_->single() ? format_->rows() * block_width : 0, 0.0f) {}

    /// The numbers as they are stored.
    template <class Real>
    Real* numbers() {
        if constexpr (std::is_same_v<Real, float>)
            return single_.data();
        else
            return full_.data();
    }

    /// The state where β is `force`: the stored numbers, or a copy in `scratch`.
    const double* read(const LaneNumbers& force, std::vector<double>& scratch) const {
        if (!format_->single()) return full_.data();
        scratch.resize(single_.size());
        const LaneNumbers offset = format_->offset(force);
        for (std::size_t row = 0; row < format_->rows(); ++row) {
            const float* from = single_.data() + row * block_width;
            double* to = scratch.data() + row * block_width;
            if (!offset.differ()) {
                kernels().widen(from, block_width, format_->unit(row), offset(row, 0), to);
                continue;
            }
            for (std::size_t lane = 0; lane < block_width; ++lane)
                to[lane] = offset(row, lane) + format_->unit(row) * from[lane];
        }
        return scratch.data();
    }

    /// Calls work(double* state) and stores the state it leaves; β goes from `before` to `after`.
    template <class Work>
    void change(const LaneNumbers& before, const LaneNumbers& after, std::vector<double>& scratch,
                Work&& work) {
        if (!format_->single()) {
            work(full_.data());
            return;
        }
        read(before, scratch);
        work(scratch.data());
        const LaneNumbers offset = format_->offset(after);
        for (std::size_t row = 0; row < format_->rows(); ++row) {
            const double* from = scratch.data() + row * block_width;
            float* to = single_.data() + row * block_width;
            if (!offset.differ()) {
                kernels().narrow(from, block_width, format_->unit(row), offset(row, 0), to);
                continue;
            }
            const double inverse = 1.0 / format_->unit(row);
            for (std::size_t lane = 0; lane < block_width; ++lane)
                to[lane] = static_cast<float>(inverse * (from[lane] - offset(row, lane)));
        }
    }

    /// Control update of β alone at held state: work = −changeᵀ x.
    void shift_force(const LaneNumbers& before, const LaneNumbers& after, const LaneNumbers& change,
                     double* work) {
        std::fill_n(work, block_width, 0.0);
        const LaneNumbers from = format_->offset(before), to = format_->offset(after);
        const bool differ = from.differ() || to.differ() || change.differ();
        for (std::size_t row = 0; row < change.size(); ++row) {
            const std::size_t at = row * block_width;
            if (!differ && format_->single())
                kernels().reframe(single_.data() + at, block_width, format_->unit(row),
                                  from(row, 0), to(row, 0), change(row, 0), work);
            else if (format_->single())
                for (std::size_t lane = 0; lane < block_width; ++lane)
                    shift_lane(single_[at + lane], format_->unit(row), from(row, lane),
                               to(row, lane), change(row, lane), work[lane]);
            else
                take_work(change, row, full_.data() + at, work);
        }
    }

    /// Whether a change of the offset rounds numbers to more than a ten-thousandth of their unit.
    bool rounds(const LaneNumbers& before, const LaneNumbers& after, std::size_t lane) const {
        if (!format_->single()) return false;
        const LaneNumbers from = format_->offset(before), to = format_->offset(after);
        for (std::size_t row = 0; row < format_->rows(); ++row)
            if (std::abs(to(row, lane) - from(row, lane)) > 0x1p10 * format_->unit(row))
                return true;
        return false;
    }

    /// Whether lanes [begin, end) hold numbers.
    bool is_finite(std::size_t begin, std::size_t end) const {
        const auto finite = [&](const auto& numbers) {
            double sum = 0.0;
            for (std::size_t at = 0; at < numbers.size(); at += block_width)
                for (std::size_t lane = begin; lane < end; ++lane) sum += 0.0 * numbers[at + lane];
            return sum == 0.0;
        };
        return finite(full_) && finite(single_);
    }

    /// Sum of a row over lanes [begin, end) from `reference`, in eight independent partial sums.
    double row_sum(std::size_t row, const LaneNumbers& force, double reference, std::size_t begin,
                   std::size_t end) const {
        const std::size_t at = row * block_width;
        if (!format_->single()) return row_sum(full_.data() + at, reference, begin, end);
        const double sum = format_->unit(row) * row_sum(single_.data() + at, 0.0, begin, end);
        const LaneNumbers offset = format_->offset(force);
        if (!offset.differ())
            return sum + static_cast<double>(end - begin) * (offset(row, 0) - reference);
        return sum + row_sum(offset.data() + at, reference, begin, end);
    }

    /// Appends the stored numbers to `to`; `load` reads them back.
    void save(std::vector<double>& to) const {
        to.insert(to.end(), full_.begin(), full_.end());
        to.insert(to.end(), single_.begin(), single_.end());
    }
    void load(const double* from) {
        std::copy_n(from, full_.size(), full_.begin());
        for (std::size_t k = 0; k < single_.size(); ++k) single_[k] = static_cast<float>(from[k]);
    }

   private:
    static void take_work(const LaneNumbers& change, std::size_t row, const double* x,
                          double* work) {
        const double shared = change(row, 0);
        if (change.differ())
            for (std::size_t lane = 0; lane < block_width; ++lane)
                work[lane] -= change(row, lane) * x[lane];
        else
            for (std::size_t lane = 0; lane < block_width; ++lane) work[lane] -= shared * x[lane];
    }

    /// What the kernel `reframe` does to one number.
    static void shift_lane(float& number, double unit, double from, double to, double change,
                           double& work) {
        const double wide = from + unit * number;
        work -= change * wide;
        if (from != to) number = static_cast<float>(1.0 / unit * (wide - to));
    }

    template <class Real>
    static double row_sum(const Real* row, double reference, std::size_t begin, std::size_t end) {
        double sums[8] = {};
        for (; begin + 8 <= end; begin += 8)
            for (std::size_t k = 0; k < 8; ++k) sums[k] += row[begin + k] - reference;
        for (std::size_t k = 0; begin < end; ++begin, ++k) sums[k] += row[begin] - reference;
        return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
               ((sums[2] + sums[6]) + (sums[3] + sums[7]));
    }

    std::shared_ptr<const StateFormat> format_;
    std::vector<double> full_;
    std::vector<float> single_;
};

/// A block of replicas: their states, their ledger, and where their noise is.
struct ReplicaBlock {
    BlockState state;
    Ledger ledger;
    std::uint64_t seed;
    std::uint64_t number;    ///< among all blocks of the seed
    std::size_t begin, end;  ///< lanes that hold replicas in use
    std::size_t first_row;   ///< row of the first of them in outputs
    std::uint64_t step = 0;  ///< number of the next step of noise
    bool diverged = false;   ///< whether the state or the ledger is no longer finite

    /// Address of the noise of groups of `group` replicas.
    NoiseAddress address(std::size_t group = group_width) const {
        return {seed, step, number * (block_width / group), begin / group,
                (end + group - 1) / group};
    }

    bool is_finite() const {
        double sum = 0.0;
        for (std::size_t lane = begin; lane < end; ++lane)
            sum += 0.0 * ledger.balance(Ledger::heat, lane) +
                   0.0 * ledger.balance(Ledger::shadow, lane);
        return sum == 0.0 && state.is_finite(begin, end);
    }
};

}  // namespace ktc
