#include "engine/statistics.hpp"

#include <algorithm>
#include <cmath>

#include "ground/dense.hpp"

namespace ktc {
namespace {

constexpr std::size_t parts_at_most = 64, parts_at_least = 4;
constexpr double bytes_of_parts = 1.3e8;

/// Sum of term(lane) over a block in independent partial sums, as many as the widest vector has
/// lanes.
template <class Term>
double sum_of_lanes(Term&& term) {
    double sums[8] = {};
    for (std::size_t lane = 0; lane < block_width; lane += 8)
        for (std::size_t k = 0; k < 8; ++k) sums[k] += term(lane + k);
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) +
           ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

double sum_of(const double* a) {
    return sum_of_lanes([a](std::size_t lane) { return a[lane]; });
}

double sum_of_products(const double* a, const double* b) {
    return sum_of_lanes([a, b](std::size_t lane) { return a[lane] * b[lane]; });
}

double bytes_of_part(const StatisticsPlan& plan) {
    const auto units = static_cast<double>(plan.units());
    const double bins = plan.edges.empty() ? 0.0 : static_cast<double>(plan.edges.columns() + 1);
    return 8.0 * units *
           (4.0 + (plan.covariance ? units : 0.0) + bins + 7.0 * static_cast<double>(plan.slots));
}

/// Inverse width of nearly equal bins, by which a guess is at most one bin off; otherwise zero.
double inverse_width(const double* edges, std::size_t count) {
    const double width = (edges[count - 1] - edges[0]) / static_cast<double>(count - 1);
    for (std::size_t k = 0; k < count; ++k)
        if (!(std::abs(edges[k] - (edges[0] + static_cast<double>(k) * width)) < 0.25 * width))
            return 0.0;
    return std::isfinite(1.0 / width) ? 1.0 / width : 0.0;
}

}  // namespace

std::size_t StatisticsPlan::parts() const {
    const double affordable = std::floor(bytes_of_parts / bytes_of_part(*this));
    const std::size_t wanted =
        static_cast<std::size_t>(std::clamp<double>(affordable, parts_at_least, parts_at_most));
    const std::size_t per_part = (blocks + wanted - 1) / wanted;
    return (blocks + per_part - 1) / per_part;
}

double StatisticsPlan::bytes() const {
    const double past = 8.0 * static_cast<double>(blocks * block_width) *
                        static_cast<double>(slots) * static_cast<double>(units());
    return past + static_cast<double>(parts()) * bytes_of_part(*this);
}

Statistics::Statistics(StatisticsPlan plan) : plan_(std::move(plan)) {
    const std::size_t units = plan_.units(), edges = plan_.edges.columns();
    for (std::size_t i = 0; i < plan_.edges.rows(); ++i)
        inverse_width_.push_back(inverse_width(plan_.edges.data() + i * edges, edges));
    Part part;
    part.sum.resize(units);
    part.square.resize(units);
    if (plan_.covariance && units > 1) part.products = Matrix(units, units);
    if (!plan_.edges.empty()) part.counts.resize(units * (edges + 1));
    part.lags.resize(plan_.slots * units);
    part.slot_sums.resize(plan_.slots * units);
    parts_.assign(plan_.parts(), part);
    scratch_.resize(std::min(plan_.threads, parts_.size()));
    past_.resize(plan_.blocks * plan_.slots * units * block_width);
}

bool Statistics::pass(std::uint64_t ticks) {
    ticks_ += ticks;
    if (ticks_ < plan_.every) return false;
    ticks_ = 0;
    return true;
}

void Statistics::begin(const std::vector<double>& mean) {
    ++observations_;
    if (has_reference()) return;
    for (std::size_t i = 0; i < plan_.units(); ++i) reference_.push_back(plan_.scale[i] * mean[i]);
}

std::pair<std::size_t, std::size_t> Statistics::blocks_of(std::size_t part) const {
    const std::size_t per_part = (plan_.blocks + parts_.size() - 1) / parts_.size();
    return {part * per_part, std::min(plan_.blocks, (part + 1) * per_part)};
}

double Statistics::cost() const {
    return 1.0 + (plan_.covariance ? static_cast<double>(plan_.units()) / 16.0 : 0.0) +
           (plan_.edges.empty() ? 0.0 : 1.0) + static_cast<double>(plan_.slots) / 8.0;
}

void Statistics::add(std::size_t index, std::size_t block, const double* state, std::size_t begin,
                     std::size_t end, Scratch& scratch) {
    Part& part = parts_[index];
    const std::size_t units = plan_.units();
    part.samples += end - begin;
    // Lanes not in use deviate by zero.
    scratch.deviation.resize(units * block_width);
    double* deviation = scratch.deviation.data();
    for (std::size_t i = 0; i < units; ++i, deviation += block_width, state += block_width) {
        std::fill(deviation, deviation + block_width, 0.0);
        double own[block_width];
        for (std::size_t lane = begin; lane < end; ++lane) {
            own[lane] = plan_.scale[i] * state[lane];
            deviation[lane] = own[lane] - reference_[i];
        }
        part.sum[i].add(sum_of(deviation));
        part.square[i].add(sum_of_products(deviation, deviation));
        if (!part.counts.empty()) count(part, i, own + begin, end - begin);
    }
    if (!part.products.empty())
        add_outer_block(scratch.deviation.data(), units, block_width, part.products);
    if (plan_.slots > 0) correlate(part, block, scratch.deviation.data());
}

void Statistics::count(Part& part, std::size_t unit, const double* state,
                       std::size_t replicas) const {
    const std::size_t bins = plan_.edges.columns() - 1;
    const double* edges = plan_.edges.data() + unit * (bins + 1);
    std::int64_t* counts = part.counts.data() + unit * (bins + 2);
    const double inverse = inverse_width_[unit];
    for (std::size_t k = 0; k < replicas; ++k) {
        const double x = state[k];
        if (x < edges[0]) {
            ++counts[0];
        } else if (x >= edges[bins]) {
            // The last bin is closed.
            ++counts[x == edges[bins] ? bins : bins + 1];
        } else if (inverse > 0.0) {
            auto bin = static_cast<std::size_t>((x - edges[0]) * inverse);
            bin = std::min(bin, bins - 1);
            while (x < edges[bin]) --bin;
            while (x >= edges[bin + 1]) ++bin;
            ++counts[bin + 1];
        } else {
            ++counts[std::upper_bound(edges, edges + bins + 1, x) - edges];
        }
    }
}

std::size_t Statistics::slot_of_lag(std::size_t lag) const {
    return static_cast<std::size_t>((observations_ - 1 - lag) % plan_.slots);
}

std::size_t Statistics::lags_known() const {
    return static_cast<std::size_t>(std::min<std::uint64_t>(plan_.slots, observations_));
}

void Statistics::correlate(Part& part, std::size_t block, const double* deviation) {
    const std::size_t units = plan_.units(), size = units * block_width;
    double* past = past_.data() + block * plan_.slots * size;
    double* slot_sums = part.slot_sums.data() + slot_of_lag(0) * units;
    std::copy_n(deviation, size, past + slot_of_lag(0) * size);
    for (std::size_t i = 0; i < units; ++i) slot_sums[i] += sum_of(deviation + i * block_width);
    for (std::size_t lag = 0; lag < lags_known(); ++lag) {
        const double* then = past + slot_of_lag(lag) * size;
        LagSums* sums = part.lags.data() + lag * units;
        for (std::size_t i = 0; i < units; ++i)
            sums[i].products.add(
                sum_of_products(deviation + i * block_width, then + i * block_width));
    }
}

void Statistics::end(std::size_t index) {
    Part& part = parts_[index];
    const std::size_t units = plan_.units();
    if (plan_.slots == 0) return;
    const double* now = part.slot_sums.data() + slot_of_lag(0) * units;
    for (std::size_t lag = 0; lag < lags_known(); ++lag) {
        const double* then = part.slot_sums.data() + slot_of_lag(lag) * units;
        LagSums* sums = part.lags.data() + lag * units;
        for (std::size_t i = 0; i < units; ++i) {
            sums[i].late.add(now[i]);
            sums[i].early.add(then[i]);
        }
    }
    // The slot of the next observation.
    double* next = part.slot_sums.data() + (observations_ % plan_.slots) * units;
    std::fill(next, next + units, 0.0);
}

template <class Pick>
double Statistics::over_parts(Pick&& pick) const {
    Sum sum;
    for (const Part& part : parts_) sum.add(pick(part));
    return sum.total();
}

Statistics::Result Statistics::result() const {
    const std::size_t units = plan_.units();
    Result result;
    result.observations = observations_;
    for (const Part& part : parts_) result.samples += part.samples;
    if (result.samples == 0) return result;
    const auto samples = static_cast<double>(result.samples);

    std::vector<double> shift(units);  // of the mean from the reference
    for (std::size_t i = 0; i < units; ++i) {
        shift[i] = over_parts([&](const Part& part) { return part.sum[i]; }) / samples;
        result.mean.push_back(reference_[i] + shift[i]);
        const double square = over_parts([&](const Part& part) { return part.square[i]; });
        // Rounding may make the variance of a constant negative.
        result.variance.push_back(std::max(0.0, square / samples - shift[i] * shift[i]));
    }
    if (plan_.covariance) result.covariance = covariance(samples, shift, result.variance);
    result.counts.assign(parts_.front().counts.size(), 0);
    for (const Part& part : parts_)
        for (std::size_t k = 0; k < part.counts.size(); ++k) result.counts[k] += part.counts[k];
    if (plan_.slots > 0) result.autocovariance = autocovariance(samples, shift);
    return result;
}

Matrix Statistics::covariance(double samples, const std::vector<double>& shift,
                              const std::vector<double>& variance) const {
    const std::size_t units = plan_.units();
    Matrix products(units, units);
    for (const Part& part : parts_)
        if (!part.products.empty())
            products = ktc::add(1.0, products, 1.0 / samples, part.products);
    Matrix result = symmetrised(products);
    for (std::size_t i = 0; i < units; ++i)
        for (std::size_t j = 0; j < units; ++j)
            result(i, j) = i == j ? variance[i] : result(i, j) - shift[i] * shift[j];
    return result;
}

Matrix Statistics::autocovariance(double samples, const std::vector<double>& shift) const {
    const std::size_t units = plan_.units();
    Matrix result(plan_.slots, units);
    const double replicas = samples / static_cast<double>(observations_);
    for (std::size_t lag = 0; lag < lags_known(); ++lag) {
        const double pairs = replicas * static_cast<double>(observations_ - lag);
        for (std::size_t i = 0; i < units; ++i) {
            const auto mean_of = [&](Sum LagSums::* which) {
                return over_parts(
                           [&](const Part& part) { return part.lags[lag * units + i].*which; }) /
                       pairs;
            };
            result(lag, i) = mean_of(&LagSums::products) -
                             shift[i] * (mean_of(&LagSums::late) + mean_of(&LagSums::early)) +
                             shift[i] * shift[i];
        }
    }
    return result;
}

}  // namespace ktc
