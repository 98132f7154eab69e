#include "motion/circuit_stationary.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ground/error.hpp"
#include "motion/circuit_step.hpp"

namespace ktc {
namespace {

constexpr double deviation_left = 1e-6;  // of the state, and its square of the covariance
constexpr std::size_t most_rates = 1000;
constexpr int most_passes = 30;

/// The largest |Π (p − λ)/(p + λ)| for λ between the ends of `rates`.
double contraction(const std::vector<double>& rates) {
    constexpr int probes = 2000;
    const double reach = std::log(rates.back() / rates.front());
    double worst = 0.0;
    for (int k = 0; k <= probes; ++k) {
        const double rate = rates.front() * std::exp(reach * k / probes);
        double product = 1.0;
        for (double p : rates) product *= std::abs((p - rate) / (p + rate));
        worst = std::max(worst, product);
    }
    return worst;
}

}  // namespace

std::vector<double> contracting_rates(double slow, double fast, double left) {
    for (std::size_t count = 4; count < most_rates; count += 2) {
        std::vector<double> rates;
        for (std::size_t k = 0; k < count; ++k) {
            const double at = static_cast<double>(k) / static_cast<double>(count - 1);
            rates.push_back(slow * std::pow(fast / slow, at));
        }
        if (contraction(rates) < left) return rates;
    }
    refuse(
        "the rates of the circuit lie too far apart to draw its stationary state; give the "
        "emulator a state to start from");
}

CircuitStationary::CircuitStationary(std::shared_ptr<const SparseCircuit> circuit,
                                     const Controls& controls)
    : circuit_(std::move(circuit)),
      kT_(controls.kT),
      charge_(multiply(circuit_->storage, controls.bias)),
      push_(circuit_->push(controls.emf, controls.current)),
      storage_(circuit_->storage, circuit_->order_of_state(), "the capacitances") {
    const std::vector<double> slope = circuit_->rest_slope(controls.emf, controls.current);
    const std::size_t n = circuit_->units();
    rest_ = multiply(circuit_->storage, std::vector<double>(slope.begin(), slope.begin() + n));
    for (std::size_t i = 0; i < n; ++i) rest_[i] += charge_[i];
    double mean = 0.0;
    for (double kT : kT_) mean += kT / static_cast<double>(kT_.size());
    width_ = std::sqrt(mean);
    if (controls.isothermal() && circuit_->noise_density.empty()) return;
    rates_ = contracting_rates(circuit_->slowest, circuit_->fastest, deviation_left);
    if (circuit_->interconnection.size() > 0) repeat_rates();
    const std::size_t noises = circuit_->conductance.size() + circuit_->noise_density.size();
    require(n + rates_.size() * noises <= max_elements, "a circuit of ", noises,
            " noises is too large for its stationary state at several "
            "temperatures; give the emulator a state to start from");
}

void CircuitStationary::repeat_rates() {
    const std::size_t n = circuit_->units();
    const std::vector<double> pass = rates_;
    std::vector<double> probe(n);
    const auto size = [&] {
        std::vector<double> slope(probe);
        solve_block(storage_, slope.data(), 1);
        double sum = 0.0;
        for (std::size_t i = 0; i < n; ++i) sum += probe[i] * slope[i];
        return std::sqrt(sum);
    };
    // Every mode has a share in a probe without symmetry.
    for (std::size_t i = 0; i < n; ++i)
        probe[i] =
            std::sin(1.0 + static_cast<double>(i * i % 1009)) * std::sqrt(circuit_->storage(i, i));
    const double enough = deviation_left * size();
    std::vector<double> slope(circuit_->coordinates());
    rates_.clear();
    for (int k = 0; k < most_passes; ++k) {
        for (double rate : pass) {
            const SparseFactor<double> factor(circuit_->stepped(1.0 / rate), circuit_->order,
                                              "the matrix of a step");
            std::fill(slope.begin(), slope.end(), 0.0);
            std::copy(probe.begin(), probe.end(), slope.begin());
            for (std::size_t i = circuit_->first_flux; i < n; ++i) slope[i] = -slope[i];
            solve_block(factor, slope.data(), 1);
            for (std::size_t i = 0; i < n; ++i)
                probe[i] = 2.0 * dot(circuit_->storage.row(i), slope) - probe[i];
            rates_.push_back(rate);
        }
        if (size() < enough) return;
    }
    refuse(
        "a mode of the circuit is damped so little that its stationary state at several "
        "temperatures, or with noise generators, was not found in ",
        rates_.size(), " steps; give the emulator a state to start from");
}

double CircuitStationary::cost() const { return 10.0 + 200.0 * static_cast<double>(rates_.size()); }

void CircuitStationary::draw(double* state, const NoiseAddress& address, Workspace& workspace,
                             Watch& watch) const {
    const std::size_t n = circuit_->units();
    for (std::size_t i = 0; i < n; ++i)
        row_of_normals(address, Purpose::equilibrium, i, state + i * block_width);
    multiply_root(storage_, state, block_width);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            double& z = state[i * block_width + lane];
            z = rest_[i] + width_ * z;
        }
    std::size_t element = n;
    workspace.before.resize(circuit_->coordinates() * block_width);
    for (double rate : rates_) {
        watch.look();
        if (watch.stopped()) return;
        const CircuitStep step(circuit_, kT_, 2.0 / rate);
        step.find_slope(state, charge_, push_, address, Purpose::equilibrium, element,
                        workspace.before.data());
        step.move(workspace.before.data(), charge_, state);
        element += step.elements();
    }
}

}  // namespace ktc
