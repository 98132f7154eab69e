#include "motion/driven_propagator.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <type_traits>
#include <utility>

#include "ground/dense.hpp"
#include "motion/block_books.hpp"

namespace ktc {
namespace {

/// Whether a tick begins with an update that a kernel does not do.
bool reshapes(const Tick& tick) { return tick.update && tick.update->changes_shape(); }

/// Numbers in the precision of a kernel, kept by the batch where they are rounded.
const double* kept(const std::vector<double>& numbers, TickBatch&, double) {
    return numbers.data();
}
const float* kept(const std::vector<double>& numbers, TickBatch& batch, float) {
    return batch.rounded.emplace_back(numbers.begin(), numbers.end()).data();
}

/// What rounding to single precision takes from numbers.
const float* rounding(std::vector<double> numbers, const float* rounded, TickBatch& batch) {
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] -= static_cast<double>(rounded[i]);
    return kept(numbers, batch, 0.0f);
}

std::vector<double> difference(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> result(b.size());
    for (std::size_t i = 0; i < b.size(); ++i) result[i] = a[i] - b[i];
    return result;
}

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

template <class Real>
DrivenPropagator<Real>::DrivenPropagator(const std::vector<double>& rates, double kT, double hold)
    : hold_(hold), transition_{}, move_{} {
    relax(rates);
    std::vector<double> width;
    width.reserve(rates.size());
    for (double rate : rates) width.push_back(std::sqrt(relaxed_variance(kT, rate, hold)));
    move_.units = move_.draws = rates.size();
    set_width(std::move(width));
}

template <class Real>
DrivenPropagator<Real>::DrivenPropagator(const std::vector<double>& rates,
                                         const DrivenMotion& motion, double hold)
    : hold_(hold), transition_(driven_transition(motion, hold)), move_{} {
    relax(rates);
    move_.units = rates.size();
    relax_filters(motion);
    move_.draws = motion.drift.rows();
    if (move_.filters == 0 && transition_.factor.is_diagonal()) {
        std::vector<double> width;
        width.reserve(rates.size());
        for (std::size_t i = 0; i < rates.size(); ++i) width.push_back(transition_.factor(i, i));
        set_width(std::move(width));
        return;
    }
    pack(transition_.decay, transition_.factor);
}

template <class Real>
DrivenPropagator<Real>::DrivenPropagator(const std::vector<double>& rates, double kT,
                                         const DrivenMotion& motion, const Matrix& decay,
                                         const Matrix& factor, double hold)
    : DrivenPropagator(rates, kT, hold) {
    relax_filters(motion);
    std::vector<double> width = width_;
    width.resize(motion.drift.rows(), 0.0);
    set_width(std::move(width));
    move_.shared = motion.drift.rows();
    move_.draws = move_.shared + factor.columns();
    pack(decay, factor);
}

template <class Real>
void DrivenPropagator<Real>::relax(const std::vector<double>& rates) {
    for (double rate : rates) {
        decay_.push_back(static_cast<Real>(std::exp(-rate * hold_)));
        growth_.push_back(static_cast<Real>(std::expm1(-rate * hold_)));
        lag_.push_back(relaxed_integral(rate, hold_));
    }
    move_.decay = decay_.data();
    move_.growth = growth_.data();
}

template <class Real>
void DrivenPropagator<Real>::set_width(std::vector<double> width) {
    width_ = std::move(width);
    real_width_.assign(width_.begin(), width_.end());
    move_.width = real_width_.data();
}

template <class Real>
void DrivenPropagator<Real>::relax_filters(const DrivenMotion& motion) {
    std::vector<double> rates;
    for (std::size_t i = move_.units; i < motion.drift.rows(); ++i)
        rates.push_back(-motion.drift(i, i));
    relax(rates);
    move_.filters = rates.size();
    filter_unit_ = motion.filter_unit;
}

/// Rows are packed in the order of their number of columns, in which B is triangular.
template <class Real>
void DrivenPropagator<Real>::pack(const Matrix& decay, const Matrix& factor) {
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
        const std::size_t count = std::min(driven_panel, std::bit_floor(left));
        pack_panel(decay, factor, begin, count);
        begin += count;
    }
    for (std::size_t p = 0; p < panels_.size(); ++p) panels_[p].numbers = numbers_[p].data();
    move_.panels = panels_.data();
    move_.panel_count = panels_.size();
}

template <class Real>
void DrivenPropagator<Real>::pack_panel(const Matrix& decay, const Matrix& factor,
                                        std::size_t begin, std::size_t rows) {
    const std::size_t depth = depth_[order_[begin + rows - 1]];
    const auto unit = [&](std::size_t row) {
        return row < move_.units ? 1.0 : filter_unit_[row - move_.units];
    };
    std::vector<Real> numbers;
    for (std::size_t k = 0; k < depth; ++k)
        for (std::size_t r = 0; r < rows; ++r) {
            const std::size_t row = order_[begin + r];
            numbers.push_back(static_cast<Real>(unit(row) * factor(row, k)));
        }
    for (std::size_t filter = move_.units; filter < order_.size(); ++filter)
        for (std::size_t r = 0; r < rows; ++r) {
            const std::size_t row = order_[begin + r];
            numbers.push_back(
                static_cast<Real>(row < move_.units ? decay(row, filter) / unit(filter) : 0.0));
        }
    numbers_.push_back(std::move(numbers));
    panels_.push_back({rows, depth, order_.data() + begin, nullptr});
}

template <class Real>
double DrivenPropagator<Real>::cost() const {
    const auto rows = static_cast<double>(decay_.size());
    return panels_.empty() ? rows : rows + rows * (rows / 16.0);
}

template <class Real>
std::shared_ptr<const SourceMove> DrivenPropagator<Real>::source_of(
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

/// In single precision changes of force and rest are split into floats and rests.
template <class Real>
void DrivenPropagator<Real>::add_forces(DrivenTick<Real>& driven, const Tick& tick,
                                        TickBatch& batch) const {
    const Drive& drive = *tick.drive;
    const bool updates = tick.update && tick.update->changes_energy() && !reshapes(tick);
    driven.force = kept(drive.force, batch, Real{});
    if constexpr (std::is_same_v<Real, float>)
        driven.rest = kept(difference(drive.rest, drive.force), batch, Real{});
    else
        driven.rest = drive.rest.data();
    if (!updates) return;
    const std::vector<double>& change = tick.update->force_change();
    driven.force_change = kept(change, batch, Real{});
    if constexpr (std::is_same_v<Real, float>) {
        const std::vector<double>& before = tick.update->rest_before();
        const std::vector<double> moved = difference(drive.rest, before);
        driven.force_rest = rounding(change, driven.force_change, batch);
        driven.rest_change = kept(moved, batch, Real{});
        driven.rest_rest = rounding(moved, driven.rest_change, batch);
        for (std::size_t i = 0; i < change.size(); ++i) driven.common_work -= change[i] * before[i];
    }
}

template <class Real>
void DrivenPropagator<Real>::prepare(Tick& tick, TickBatch& batch) const {
    auto& ticks = std::get<std::vector<DrivenTick<Real>>>(batch.driven);
    DrivenTick<Real> driven{&move_, nullptr, nullptr, nullptr};
    const Tick* before = batch.ticks.empty() ? nullptr : &batch.ticks.back();
    const bool alike = before && before->propagator == tick.propagator;
    if (alike && !tick.update && before->drive == tick.drive &&
        ticks.size() == batch.ticks.size()) {
        driven.force = ticks.back().force;
        driven.rest = ticks.back().rest;
    } else {
        add_forces(driven, tick, batch);
    }
    if (const auto& flow = tick.drive->source) {
        const bool same = alike && before->source && before->source->flow == flow;
        tick.source = same ? before->source : source_of(flow);
        driven.potential = same ? ticks.back().potential : kept(flow->potential, batch, Real{});
        if (!tick.source->noise.empty())
            driven.share = same ? ticks.back().share : kept(tick.source->noise, batch, Real{});
        driven.steady = tick.source->steady;
    }
    ticks.resize(batch.ticks.size());  // those of other propagators stay empty
    ticks.push_back(driven);
}

template <class Real>
std::size_t DrivenPropagator<Real>::play(const TickBatch& batch, std::size_t first,
                                         ReplicaBlock& block, Workspace& workspace) const {
    const auto& ticks = std::get<std::vector<DrivenTick<Real>>>(batch.driven);
    const Tick& begin = batch.ticks[first];
    if (reshapes(begin)) begin.update->apply(block, workspace);
    std::vector<double> widths;
    std::size_t last = first;
    do {
        const auto& source = batch.ticks[last].source;
        widths.push_back(source ? source->width : 0.0);
        ++last;
    } while (last < ticks.size() && ticks[last].move != nullptr && !reshapes(batch.ticks[last]));
    const OwnSourceNoise own(widths, block.step);
    BlockBooks books(block.ledger);
    constexpr std::size_t width = replicas_of_a_group<Real>;
    const NoiseAddress at = block.address(width);
    for (std::size_t g = at.begin_group; g < at.end_group; ++g) {
        const std::size_t lane = g * width;
        kernels().of<Real>().driven(block.state.numbers<Real>() + lane, block_width,
                                    ticks.data() + first, last - first, at.stream(Purpose::hold, g),
                                    own.view(), books.driven(lane),
                                    workspace.first.numbers<Real>());
    }
    block.step += last - first;
    return last - first;
}

template class DrivenPropagator<double>;
template class DrivenPropagator<float>;

std::shared_ptr<const Propagator> driven_propagator(const Network& network, const Setting& setting,
                                                    const StateFormat& format, double hold) {
    const Controls& controls = setting.controls;
    const Elements& e = network.elements();
    const Coordinates& coordinates = *setting.coordinates;
    const std::vector<double>& rates = coordinates.rates;
    const auto made = [&](const auto&... what) -> std::shared_ptr<const Propagator> {
        if (format.single()) return std::make_shared<DrivenPropagator<float>>(rates, what..., hold);
        return std::make_shared<DrivenPropagator<double>>(rates, what..., hold);
    };
    if (controls.isothermal() && e.noises() == 0) return made(controls.kT.front());
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
        if (4 * factor.columns() < rates.size()) return made(kT, motion, moved.decay, factor);
    }
    return made(driven_motion(network, controls, coordinates));
}

}  // namespace ktc
