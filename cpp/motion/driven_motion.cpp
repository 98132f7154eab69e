#include "motion/driven_motion.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <utility>

#include "ground/dense.hpp"
#include "ground/error.hpp"

namespace ktc {
namespace {

double dot(const std::vector<double>& a, const std::vector<double>& b) {
    return dot(entries_of(a), b);
}

void add(double amount, std::span<const SparseEntry> direction, std::vector<double>& to) {
    for (const auto& [i, value] : direction) to[i] += amount * value;
}

/// Directions of white noise as columns, each times the root of its rate.
Matrix white_noise(const Network& network, const Controls& controls, double common_kT) {
    const Elements& e = network.elements();
    Matrix result(e.dimension(), e.resistors() + e.noises());
    for (std::size_t r = 0; r < e.resistors(); ++r)
        for (const auto& [i, value] : e.directions.row(r))
            result(i, r) =
                value * std::sqrt(2.0 * (controls.kT[e.account[r]] - common_kT) * e.conductance[r]);
    for (std::size_t k = 0; k < e.noises(); ++k)
        for (std::size_t i = 0; i < e.dimension() && e.noise_rate[k] == 0.0; ++i)
            result(i, e.resistors() + k) = e.noise_directions(k, i) * std::sqrt(e.noise_density[k]);
    return result;
}

std::vector<double> negative(std::vector<double> values) {
    for (double& value : values) value = -value;
    return values;
}

}  // namespace

DrivenMotion driven_motion(const Network& network, const Controls& controls,
                           const Coordinates& coordinates, double common_kT) {
    const Elements& e = network.elements();
    const std::size_t n = coordinates.dimension(), rows = n + e.filters();
    DrivenMotion motion{Matrix(rows, rows), Matrix(rows, rows), {}, {}};
    const Matrix noise =
        multiply(coordinates.from_state, white_noise(network, controls, common_kT));
    const Matrix diffusion = multiply(noise, noise, Transposed::no, Transposed::yes);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            motion.diffusion(i, j) = diffusion(i, j);
            if (!coordinates.decoupled()) motion.drift(i, j) = coordinates.drift(i, j);
        }
    for (std::size_t i = 0; i < coordinates.rates.size(); ++i)
        motion.drift(i, i) = -coordinates.rates[i];
    if (controls.isothermal() && e.noises() == 0 && !e.is_active() && common_kT == 0.0)
        motion.balance = Matrix::diagonal(std::vector<double>(n, controls.kT.front()));
    double heating = 0.0, damping = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        heating += motion.diffusion(i, i);
        damping -= motion.drift(i, i);
    }
    for (std::size_t k = 0, filter = n; k < e.noises(); ++k) {
        const double rate = e.noise_rate[k];
        if (rate == 0.0) continue;
        const std::vector<double> aim = multiply(coordinates.from_state, e.noise_directions.row(k));
        const double spread = std::sqrt(0.5 * rate * e.noise_density[k]);
        const double pushed = spread * std::sqrt(dot(aim, aim)) / (rate + damping);
        const double width = std::sqrt(0.5 * heating / damping) + pushed;
        const double unit = width > 0.0 ? spread / width : spread;
        for (std::size_t i = 0; i < n; ++i) motion.drift(i, filter) = aim[i] * unit;
        motion.drift(filter, filter) = -rate;
        motion.diffusion(filter, filter) = 2.0 * rate * (spread / unit) * (spread / unit);
        motion.filter_unit.push_back(unit);
        ++filter;
    }
    return motion;
}

Matrix stationary_covariance(const DrivenMotion& motion) {
    return motion.balance.empty() ? solve_lyapunov(motion.drift, motion.diffusion) : motion.balance;
}

Transition transition_of(const DrivenMotion& motion, double hold) {
    if (!motion.drift.is_diagonal())
        return linear_transition(motion.drift, motion.diffusion, motion.balance, hold);
    const std::size_t n = motion.drift.rows();
    Transition result{Matrix(n, n), Matrix(n, n)};
    for (std::size_t i = 0; i < n; ++i) {
        result.decay(i, i) = std::exp(motion.drift(i, i) * hold);
        for (std::size_t j = 0; j < n; ++j)
            result.covariance(i, j) =
                motion.diffusion(i, j) *
                relaxed_integral(-motion.drift(i, i) - motion.drift(j, j), hold);
    }
    return result;
}

Transition driven_network_transition(const Network& network, const Controls& controls,
                                     double hold) {
    const Coordinates coordinates = natural_coordinates(network, controls.stiffness);
    const DrivenMotion motion = driven_motion(network, controls, coordinates);
    const Transition natural = transition_of(motion, hold);
    const std::size_t n = coordinates.dimension(), rows = motion.drift.rows();
    Matrix to_state(rows, rows), from_state(rows, rows);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            to_state(i, j) = coordinates.to_state(i, j);
            from_state(i, j) = coordinates.from_state(i, j);
        }
    for (std::size_t k = n; k < rows; ++k) {
        to_state(k, k) = motion.filter_unit[k - n];
        from_state(k, k) = 1.0 / motion.filter_unit[k - n];
    }
    return {multiply(multiply(to_state, natural.decay), from_state),
            symmetrised(multiply(multiply(to_state, natural.covariance), to_state, Transposed::no,
                                 Transposed::yes))};
}

DrivenTransition driven_transition(const DrivenMotion& motion, double hold) {
    const Transition exact = transition_of(motion, hold);
    const std::size_t n = motion.drift.rows();
    Matrix lag(n, n);
    if (motion.drift.is_diagonal())
        for (std::size_t i = 0; i < n; ++i) lag(i, i) = relaxed_integral(-motion.drift(i, i), hold);
    else
        lag = exact_flow(motion.drift, std::vector<double>(n, 1.0), hold).integral;
    Matrix factor = semidefinite_factor(exact.covariance);
    SemidefiniteSolver solver(factor);
    return {hold,           exact.decay,        std::move(factor),
            std::move(lag), motion.filter_unit, std::move(solver)};
}

std::vector<double> rest_slope(const Network& network, const Controls& controls,
                               const FlowSolver& solver) {
    const Elements& e = network.elements();
    std::vector<double> push(e.dimension(), 0.0);
    for (std::size_t r = 0; r < e.resistors(); ++r)
        add(-e.conductance[r] * controls.emf[r], e.directions.row(r), push);
    for (std::size_t s = 0; s < e.sources(); ++s)
        add(-controls.current[s], entries_of(e.source_directions.row(s)), push);
    return solver.solve(std::move(push), Transposed::no);
}

std::shared_ptr<const SourceFlow> source_flow(const Network& network, const Controls& controls,
                                              const Coordinates& coordinates,
                                              const FlowSolver* solver) {
    if (!controls.has_sources()) return nullptr;
    const Elements& e = network.elements();
    const std::size_t n = e.dimension();
    SourceFlow flow{{}, {}, 0.0, 0.0, {}, false};
    // EMFs have the noise of their resistors, which at one temperature is that of p: Var ζ = 2kT p
    // h.
    flow.independent = coordinates.decoupled() && controls.isothermal() &&
                       controls.kT.front() > 0.0 && e.noises() == 0 &&
                       !any_nonzero(controls.current);
    // dz gets `push` from the sources, which take the power `force`·∇H + Σ g e².
    std::vector<double> push(n, 0.0), force(n, 0.0);
    for (std::size_t r = 0; r < e.resistors(); ++r) {
        const double current = e.conductance[r] * controls.emf[r];
        add(current, e.directions.row(r), push);
        add(-current, e.directions.row(r), force);
        flow.power += current * controls.emf[r];
    }
    const Matrix& readings = e.is_active() ? e.active.readings : e.source_directions;
    for (std::size_t s = 0; s < e.sources(); ++s) {
        add(controls.current[s], entries_of(e.source_directions.row(s)), push);
        add(controls.current[s], entries_of(readings.row(s)), force);
    }
    // What sources read beside ∇H: voltages of current sources at resistors, and noise.
    std::vector<double> read(e.resistors(), 0.0);
    if (e.is_active()) {
        flow.power += dot(controls.current, multiply(e.active.conductance, controls.current));
        read = multiply(e.active.noise, controls.current, Transposed::yes);
    }
    std::vector<double> adjoint;
    if (coordinates.decoupled()) {
        flow.displacement = multiply(coordinates.from_state, push);
        flow.potential = multiply(coordinates.from_state, force);
        for (std::size_t i = 0; i < n; ++i) {
            flow.displacement[i] /= coordinates.rates[i];
            flow.potential[i] /= -coordinates.rates[i];
        }
        adjoint = multiply(coordinates.from_state, flow.potential, Transposed::yes);
    } else {
        const Matrix& to_state = coordinates.to_state;
        flow.displacement =
            multiply(to_state, solver->solve(negative(push), Transposed::no), Transposed::yes);
        adjoint = solver->solve(force, Transposed::yes);
        flow.potential = multiply(to_state, adjoint, Transposed::yes);
    }
    flow.power -= dot(adjoint, push);

    std::vector<double> noise(n, 0.0), filtered;
    for (std::size_t r = 0; r < e.resistors(); ++r) {
        const double rate = 2.0 * controls.kT[e.account[r]] * e.conductance[r];
        const double share = controls.emf[r] + read[r] - dot(e.directions.row(r), adjoint);
        flow.diffusion += rate * share * share;
        add(rate * share, e.directions.row(r), noise);
    }
    for (std::size_t k = 0; k < e.noises(); ++k) {
        const std::vector<double> aim = e.noise_directions.row(k);
        const double rate = e.noise_rate[k], share = -dot(aim, adjoint);
        flow.diffusion += e.noise_density[k] * share * share;
        if (rate == 0.0) {
            add(e.noise_density[k] * share, entries_of(aim), noise);
            continue;
        }
        flow.potential.push_back(-share / rate);
        filtered.push_back(share * rate * e.noise_density[k]);
    }
    flow.correlation = multiply(coordinates.from_state, noise);
    flow.correlation.insert(flow.correlation.end(), filtered.begin(), filtered.end());
    return std::make_shared<const SourceFlow>(std::move(flow));
}

std::shared_ptr<const SourceMove> source_move(std::shared_ptr<const SourceFlow> flow,
                                              const DrivenTransition& transition) {
    SourceMove move{std::move(flow), {}, 0.0, {}, 0.0};
    move.potential = move.flow->potential;
    std::vector<double> correlation = move.flow->correlation;
    const std::size_t n = correlation.size() - transition.filter_unit.size();
    for (std::size_t k = n; k < correlation.size(); ++k) {
        move.potential[k] *= transition.filter_unit[k - n];
        correlation[k] /= transition.filter_unit[k - n];
    }
    move.noise = transition.solver.solve(multiply(transition.lag, correlation));
    const double rest = move.flow->diffusion * transition.hold - dot(move.noise, move.noise);
    move.width = std::sqrt(std::max(0.0, rest));
    move.steady = move.flow->power * transition.hold;
    return std::make_shared<const SourceMove>(std::move(move));
}

}  // namespace ktc
