#include "motion/circuit_step.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "physics/network.hpp"

namespace ktc {
namespace {

constexpr std::size_t lanes = block_width;

void add_row(double amount, const double* row, double* to) {
    for (std::size_t lane = 0; lane < lanes; ++lane) to[lane] += amount * row[lane];
}

}  // namespace

CircuitStep::CircuitStep(std::shared_ptr<const SparseCircuit> circuit,
                         const std::vector<double>& kT, double step)
    : circuit_(std::move(circuit)),
      step_(step),
      factor_(circuit_->stepped(0.5 * step), circuit_->order, "the matrix of a step") {
    for (std::size_t r = 0; r < circuit_->conductance.size(); ++r)
        width_.push_back(
            std::sqrt(2.0 * kT[circuit_->account[r]] * circuit_->conductance[r] * step));
    for (double density : circuit_->noise_density)
        noise_width_.push_back(std::sqrt(density * step));
}

void CircuitStep::find_slope(const double* state, const std::vector<double>& charge,
                             const std::vector<double>& push, const NoiseAddress& address,
                             Purpose purpose, std::size_t first_element, double* slope) const {
    const SparseCircuit& c = *circuit_;
    const std::size_t n = c.units(), all = c.coordinates();
    for (std::size_t i = 0; i < all; ++i) {
        const double constant = 0.5 * step_ * push[i] - (i < n ? charge[i] : 0.0);
        double* y = slope + i * lanes;
        for (std::size_t lane = 0; lane < lanes; ++lane)
            y[lane] = constant + (i < n ? state[i * lanes + lane] : 0.0);
    }
    double noise[lanes];
    const auto feed = [&](std::size_t element, double width,
                          std::span<const SparseEntry> direction) {
        if (width == 0.0) return;
        row_of_normals(address, purpose, first_element + element, noise);
        for (const auto& [i, value] : direction)
            add_row(0.5 * width * value, noise, slope + i * lanes);
    };
    for (std::size_t r = 0; r < width_.size(); ++r) feed(r, width_[r], c.directions.row(r));
    for (std::size_t k = 0; k < noise_width_.size(); ++k)
        feed(width_.size() + k, noise_width_[k], c.noise_directions.row(k));
    for (std::size_t at = c.first_flux * lanes; at < n * lanes; ++at) slope[at] = -slope[at];
    solve_block(factor_, slope, lanes);
}

void CircuitStep::move(const double* slope, const std::vector<double>& charge,
                       double* state) const {
    double stored[lanes];
    for (std::size_t i = 0; i < circuit_->units(); ++i) {
        multiply_row(circuit_->storage.row(i), slope, lanes, stored);
        double* z = state + i * lanes;
        for (std::size_t lane = 0; lane < lanes; ++lane)
            z[lane] = 2.0 * (stored[lane] + charge[i]) - z[lane];
    }
}

namespace {

class CircuitPropagator final : public StepPropagator {
   public:
    CircuitPropagator(std::shared_ptr<const SparseCircuit> circuit, const std::vector<double>& kT,
                      double hold, std::uint64_t steps, bool pooled)
        : step_(std::move(circuit), kT, hold / static_cast<double>(steps)),
          steps_(steps),
          pooled_(pooled) {
        const SparseCircuit& c = step_.circuit();
        for (std::size_t r = 0; r < c.conductance.size(); ++r) {
            const double own = kT[c.account[r]];
            per_kT_.push_back(own > 0.0 ? 1.0 / own : 0.0);
        }
        const bool several =
            std::any_of(kT.begin(), kT.end(), [&](double other) { return other != kT.front(); });
        if (!c.noise_density.empty() || (several && !pooled)) add_fast_exchange(kT);
    }

    std::uint64_t steps() const override { return steps_; }
    double cost() const override {
        const SparseCircuit& c = step_.circuit();
        return static_cast<double>(step_.entries() + 8 * c.conductance.size());
    }

    void advance(double* state, const Drive& drive, const NoiseAddress& address,
                 Workspace& workspace, Posts& posts) const override {
        const SparseCircuit& c = step_.circuit();
        posts.clear();
        const std::vector<double> charge = multiply(c.storage, drive.force);
        const std::vector<double> push = c.push(drive.emf, drive.current);
        workspace.before.resize(c.coordinates() * lanes);
        double* slope = workspace.before.data();
        step_.find_slope(state, charge, push, address, Purpose::hold, 0, slope);
        post_supply(state, drive, -1.0, posts);
        step_.move(slope, charge, state);
        post_supply(state, drive, 1.0, posts);
        for (std::size_t r = 0; r < c.conductance.size(); ++r)
            post_resistor(r, drive.emf[r], slope, address, posts);
        post_sources(drive, slope, address, posts);
    }

   private:
    /// The missing share of mean heats and injected energies.
    void add_fast_exchange(const std::vector<double>& kT) {
        const SparseCircuit& c = step_.circuit();
        const double h = step_.step();
        std::vector<double> hot, half;
        for (std::size_t r = 0; r < c.conductance.size(); ++r)
            hot.push_back(kT[c.account[r]] * c.conductance[r]);
        for (double density : c.noise_density) half.push_back(0.5 * density);
        const SparseMatrix middle = c.stepped(0.5 * h);
        const SparseMatrix heating = c.weighted(hot, half);
        const SparseMatrix damping = c.weighted(c.conductance, {});
        const auto along = [&](const SparseMatrix& slope, const SparseMatrix& directions) {
            return sandwiched(middle, slope, c.order, directions);
        };
        exchange_ = along(heating, c.directions);
        const std::vector<double> cooling = along(damping, c.directions);
        for (std::size_t r = 0; r < exchange_.size(); ++r)
            exchange_[r] =
                0.5 * h * h * c.conductance[r] * (exchange_[r] - kT[c.account[r]] * cooling[r]);
        if (c.noise_density.empty()) return;
        injection_ = along(damping, c.noise_directions);
        for (std::size_t i = 0; i < injection_.size(); ++i)
            injection_[i] *= 0.25 * h * h * c.noise_density[i];
    }

    void post_supply(const double* state, const Drive& drive, double sign, Posts& posts) const {
        for (std::size_t i = 0; i < drive.force.size(); ++i)
            if (drive.force[i] != 0.0)
                add_row(sign * drive.force[i], state + i * lanes, posts.supply);
    }

    void post_resistor(std::size_t r, double emf, const double* slope, const NoiseAddress& address,
                       Posts& posts) const {
        const SparseCircuit& c = step_.circuit();
        double along[lanes], noise[lanes] = {};
        if (step_.width(r) > 0.0) row_of_normals(address, Purpose::hold, r, noise);
        multiply_row(c.directions.row(r), slope, lanes, along);
        const double reach = c.conductance[r] * step_.step(), width = step_.width(r);
        const double more = exchange_.empty() ? 0.0 : exchange_[r];
        double* own = posts.heat_per_account.data() + (pooled_ ? 0 : c.account[r]) * lanes;
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            const double voltage = along[lane] - emf;
            const double charge = width * noise[lane] - reach * voltage;
            const double heat = more - voltage * charge;
            posts.heat[lane] += heat;
            own[lane] += heat;
            posts.entropy[lane] += heat * per_kT_[r];
            posts.source[lane] += emf * charge;
        }
        posts.has_source = posts.has_source || emf != 0.0;
    }

    void post_sources(const Drive& drive, const double* slope, const NoiseAddress& address,
                      Posts& posts) const {
        const SparseCircuit& c = step_.circuit();
        double along[lanes], noise[lanes];
        for (std::size_t s = 0; s < drive.current.size(); ++s) {
            if (drive.current[s] == 0.0) continue;
            multiply_row(c.source_directions.row(s), slope, lanes, along);
            add_row(step_.step() * drive.current[s], along, posts.source);
            posts.has_source = true;
        }
        for (std::size_t k = 0; k < c.noise_density.size(); ++k) {
            row_of_normals(address, Purpose::hold, c.conductance.size() + k, noise);
            multiply_row(c.noise_directions.row(k), slope, lanes, along);
            for (std::size_t lane = 0; lane < lanes; ++lane)
                posts.injected[lane] +=
                    injection_[k] + step_.noise_width(k) * noise[lane] * along[lane];
            posts.has_injected = true;
        }
    }

    CircuitStep step_;
    std::uint64_t steps_;
    bool pooled_;
    std::vector<double> per_kT_;
    std::vector<double> exchange_, injection_;  ///< empty where they vanish
};

}  // namespace

std::unique_ptr<StepPropagator> circuit_propagator(std::shared_ptr<const SparseCircuit> circuit,
                                                   const std::vector<double>& kT, double hold,
                                                   double longest_step, bool pooled) {
    return std::make_unique<CircuitPropagator>(std::move(circuit), kT, hold,
                                               steps_of(hold, longest_step), pooled);
}

}  // namespace ktc
