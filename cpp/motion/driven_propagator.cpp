#include "motion/driven_propagator.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

#include "ground/dense.hpp"
#include "motion/block_books.hpp"

namespace ktc {
namespace {

/// Whether a tick begins with an update that a kernel does not do.
bool reshapes(const Tick& tick) { return tick.update && tick.update->changes_shape(); }

/// Haar functions of modal_tile steps, orthonormal.
struct HaarBasis {
    double at[modal_tile][modal_tile] = {};  ///< [number][step]

    HaarBasis() {
        constexpr auto tile = static_cast<double>(modal_tile);
        for (std::size_t step = 0; step < modal_tile; ++step) at[0][step] = std::sqrt(1.0 / tile);
        for (std::size_t number = 1; number < modal_tile; ++number) {
            const std::size_t level = std::bit_floor(number), length = modal_tile / level;
            const std::size_t begin = (number - level) * length;
            const double height = std::sqrt(static_cast<double>(level) / tile);
            for (std::size_t k = 0; k < length; ++k)
                at[number][begin + k] = k < length / 2 ? height : -height;
        }
    }
};

}  // namespace

OwnSourceNoise::OwnSourceNoise(const std::vector<double>& widths, std::uint64_t step) {
    static const HaarBasis basis;
    if (!any_nonzero(widths)) return;
    for (std::size_t begin = 0; begin < widths.size();) {
        const auto start = static_cast<std::size_t>((step + begin) % modal_tile);
        const std::size_t count = std::min(widths.size() - begin, modal_tile - start);
        const double* width = widths.data() + begin;
        // A whole tile of equal widths needs the first function alone.
        const bool even = count == modal_tile && std::all_of(width, width + count, [&](double w) {
                              return w == width[0];
                          });
        const auto weight_of = [&](std::size_t number) {
            double weight = 0.0;
            for (std::size_t k = 0; k < count; ++k)
                weight += width[k] * basis.at[number][start + k];
            return weight;
        };
        for (std::size_t pair = 0; pair < (even ? 1 : modal_tile / 2); ++pair) {
            const double first = weight_of(2 * pair), second = even ? 0.0 : weight_of(2 * pair + 1);
            if (first == 0.0 && second == 0.0) continue;
            step_.push_back(step + begin - start + pair);
            weight_.insert(weight_.end(), {first, second});
        }
        end_.push_back(step_.size());
        begin += count;
    }
    step_.resize(step_.size() + modal_tile);
}

DrivenPropagator::DrivenPropagator(const std::vector<double>& rates, double kT, double hold)
    : hold_(hold), transition_{}, move_{} {
    relax(rates);
    for (double rate : rates) width_.push_back(std::sqrt(relaxed_variance(kT, rate, hold)));
    move_.units = move_.draws = rates.size();
    move_.width = width_.data();
}

DrivenPropagator::DrivenPropagator(const std::vector<double>& rates, const DrivenMotion& motion,
                                   double hold)
    : hold_(hold), transition_(driven_transition(motion, hold)), move_{} {
    relax(rates);
    move_.units = rates.size();
    relax_filters(motion);
    move_.draws = motion.drift.rows();
    if (move_.filters == 0 && transition_.factor.is_diagonal()) {
        for (std::size_t i = 0; i < rates.size(); ++i) width_.push_back(transition_.factor(i, i));
        move_.width = width_.data();
        return;
    }
    pack(transition_.decay, transition_.factor);
}

DrivenPropagator::DrivenPropagator(const std::vector<double>& rates, double kT,
                                   const DrivenMotion& motion, const Matrix& decay,
                                   const Matrix& factor, double hold)
    : DrivenPropagator(rates, kT, hold) {
    relax_filters(motion);
    width_.resize(motion.drift.rows(), 0.0);
    move_.width = width_.data();
    move_.shared = motion.drift.rows();
    move_.draws = move_.shared + factor.columns();
    pack(decay, factor);
}

void DrivenPropagator::relax(const std::vector<double>& rates) {
    for (double rate : rates) {
        decay_.push_back(std::exp(-rate * hold_));
        growth_.push_back(std::expm1(-rate * hold_));
        lag_.push_back(relaxed_integral(rate, hold_));
    }
    move_.decay = decay_.data();
    move_.growth = growth_.data();
}

void DrivenPropagator::relax_filters(const DrivenMotion& motion) {
    std::vector<double> rates;
    for (std::size_t i = move_.units; i < motion.drift.rows(); ++i)
        rates.push_back(-motion.drift(i, i));
    relax(rates);
    move_.filters = rates.size();
    filter_unit_ = motion.filter_unit;
}

/// Rows are packed in the order of their number of columns, in which B is triangular.
void DrivenPropagator::pack(const Matrix& decay, const Matrix& factor) {
    const std::size_t rows = factor.rows();
    for (std::size_t i = 0; i < rows; ++i) {
        std::size_t depth = factor.columns();
        while (depth > 0 && factor(i, depth - 1) == 0.0) --depth;
        depth_.push_back(depth);
    }
    order_.resize(rows);
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::stable_sort(order_.begin(), order_.end(),
                     [&](std::size_t a, std::size_t b) { return depth_[a] < depth_[b]; });
    for (std::size_t begin = 0; begin < rows;) {
        const std::size_t left = rows - begin;
        const std::size_t count =
            left >= driven_panel ? driven_panel : std::min<std::size_t>(left, 2);
        pack_panel(decay, factor, begin, count);
        begin += count;
    }
    for (std::size_t p = 0; p < panels_.size(); ++p) panels_[p].numbers = numbers_[p].data();
    move_.panels = panels_.data();
    move_.panel_count = panels_.size();
}

void DrivenPropagator::pack_panel(const Matrix& decay, const Matrix& factor, std::size_t begin,
                                  std::size_t rows) {
    const std::size_t depth = depth_[order_[begin + rows - 1]];
    const auto unit = [&](std::size_t row) {
        return row < move_.units ? 1.0 : filter_unit_[row - move_.units];
    };
    std::vector<double> numbers;
    for (std::size_t k = 0; k < depth; ++k)
        for (std::size_t r = 0; r < rows; ++r) {
            const std::size_t row = order_[begin + r];
            numbers.push_back(unit(row) * factor(row, k));
        }
    for (std::size_t filter = move_.units; filter < order_.size(); ++filter)
        for (std::size_t r = 0; r < rows; ++r) {
            const std::size_t row = order_[begin + r];
            numbers.push_back(row < move_.units ? decay(row, filter) / unit(filter) : 0.0);
        }
    numbers_.push_back(std::move(numbers));
    panels_.push_back({rows, depth, order_.data() + begin, nullptr});
}

std::shared_ptr<const Propagator> driven_propagator(const Network& network, const Setting& setting,
                                                    double hold) {
    const Controls& controls = setting.controls;
    const Elements& e = network.elements();
    const Coordinates& coordinates = *setting.coordinates;
    const std::vector<double>& rates = coordinates.rates;
    if (controls.isothermal() && e.noises() == 0)
        return std::make_shared<DrivenPropagator>(rates, controls.kT.front(), hold);
    // Noise of few elements beside that of one temperature takes few columns.
    const double kT = *std::min_element(controls.kT.begin(), controls.kT.end());
    std::size_t elements = e.noises();
    for (std::size_t r = 0; r < e.resistors(); ++r) elements += controls.kT[e.account[r]] > kT;
    if (!setting.drive->source && 8 * elements < rates.size()) {
        const DrivenMotion motion = driven_motion(network, controls, coordinates, kT);
        const Transition moved = transition_of(motion, hold);
        std::vector<double> width(moved.covariance.rows());
        for (std::size_t i = 0; i < width.size(); ++i) {
            const double own = i < rates.size() ? relaxed_variance(kT, rates[i], hold) : 0.0;
            width[i] = std::sqrt(own + std::max(0.0, moved.covariance(i, i)));
        }
        const Matrix factor = low_rank_factor(moved.covariance, width);
        if (4 * factor.columns() < rates.size())
            return std::make_shared<DrivenPropagator>(rates, kT, motion, moved.decay, factor, hold);
    }
    return std::make_shared<DrivenPropagator>(rates, driven_motion(network, controls, coordinates),
                                              hold);
}

double DrivenPropagator::cost() const {
    const auto rows = static_cast<double>(decay_.size());
    return panels_.empty() ? rows : rows + rows * (rows / 16.0);
}

std::shared_ptr<const SourceMove> DrivenPropagator::source_of(
    std::shared_ptr<const SourceFlow> flow) const {
    if (!transition_.factor.empty()) return source_move(std::move(flow), transition_);
    SourceMove move{std::move(flow), {}, 0.0, {}, 0.0};
    double shared = 0.0;
    if (!move.flow->independent)
        for (std::size_t i = 0; i < width_.size(); ++i) {
            const double covariance = lag_[i] * move.flow->correlation[i];
            move.noise.push_back(width_[i] > 0.0 ? covariance / width_[i] : 0.0);
            shared += move.noise[i] * move.noise[i];
        }
    move.steady = move.flow->power * hold_;
    move.width = std::sqrt(std::max(0.0, move.flow->diffusion * hold_ - shared));
    return std::make_shared<const SourceMove>(std::move(move));
}

void DrivenPropagator::prepare(Tick& tick, TickBatch& batch) const {
    DrivenTick driven{&move_, nullptr, tick.drive->force.data(), tick.drive->rest.data()};
    if (tick.update && tick.update->changes_energy() && !reshapes(tick))
        driven.force_change = tick.update->force_change().data();
    if (const auto& flow = tick.drive->source) {
        const Tick* before = batch.ticks.empty() ? nullptr : &batch.ticks.back();
        const bool same = before && before->source && before->source->flow == flow &&
                          before->propagator == tick.propagator;
        tick.source = same ? before->source : source_of(flow);
        driven.potential = flow->potential.data();
        driven.share = tick.source->noise.empty() ? nullptr : tick.source->noise.data();
        driven.steady = tick.source->steady;
    }
    batch.driven.resize(batch.ticks.size());  // those of other propagators stay empty
    batch.driven.push_back(driven);
}

std::size_t DrivenPropagator::play(const TickBatch& batch, std::size_t first, ReplicaBlock& block,
                                   Workspace& workspace) const {
    const Tick& begin = batch.ticks[first];
    if (reshapes(begin)) begin.update->apply(block, workspace);
    std::vector<double> widths;
    std::size_t last = first;
    do {
        const auto& source = batch.ticks[last].source;
        widths.push_back(source ? source->width : 0.0);
        ++last;
    } while (last < batch.driven.size() && batch.driven[last].move != nullptr &&
             !reshapes(batch.ticks[last]));
    const OwnSourceNoise own(widths, block.step);
    BlockBooks books(block.ledger);
    const NoiseAddress at = block.address();
    const auto& before = batch.driven[first].force_change != nullptr ? begin.update->rest_before()
                                                                     : begin.drive->rest;
    block.state.change(
        before, batch.ticks[last - 1].drive->rest, workspace.state, [&](double* state) {
            for (std::size_t g = at.begin_group; g < at.end_group; ++g) {
                const std::size_t lane = g * group_width;
                kernels().driven(state + lane, block_width, batch.driven.data() + first,
                                 last - first, at.stream(Purpose::hold, g), own.view(),
                                 books.driven(lane), workspace.first.data());
            }
        });
    block.step += last - first;
    return last - first;
}

}  // namespace ktc
