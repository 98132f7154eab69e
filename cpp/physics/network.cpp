#include "physics/network.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "ground/dense.hpp"
#include "ground/error.hpp"

namespace ktc {
namespace {

bool all_finite(const double* values, std::size_t count) {
    return std::all_of(values, values + count, [](double value) { return std::isfinite(value); });
}

void check_size(const std::vector<double>& values, std::size_t size, std::string_view name) {
    require(values.size() == size, name, " must have ", size, " entries, but has ", values.size());
    require(all_finite(values.data(), size), name, " must be finite");
}

Elements unit_elements(const Matrix& friction, bool inertia) {
    const std::size_t d = friction.rows();
    require(d > 0 && d == friction.columns(),
            "friction must be a square matrix with one row a unit");
    require(all_finite(friction.data(), d * d), "friction must be finite");
    cholesky(friction, "friction");
    return inertia ? inertial_elements(friction) : overdamped_elements(friction);
}

/// Raises if sub-steps of a quartic unit, or one with a potential, are not exact: they need a
/// resistor that moves this unit alone, and no interconnection with another such unit.
void check_on_site(const std::vector<double>& quartic, const Potentials& potentials,
                   const Elements& elements) {
    std::vector<bool> alone(elements.dimension(), true);
    for (std::size_t r = 0; r < elements.resistors(); ++r) {
        const auto direction = elements.directions.row(r);
        if (direction.size() == 1) continue;
        for (const SparseEntry& entry : direction) alone[entry.column] = false;
    }
    const auto linear = [&](std::size_t i) { return quartic[i] == 0.0 && !potentials.has(i); };
    for (std::size_t i = 0; i < quartic.size(); ++i) {
        require(quartic[i] >= 0.0, "quartic must not be negative");
        if (linear(i)) continue;
        const auto check = [&](bool condition, const auto&... cause) {
            if (condition) return;
            if (potentials.has(i)) refuse("unit ", i, " has a potential, but ", cause...);
            refuse("quartic is ", quartic[i], " at unit ", i, ", but ", cause...);
        };
        check(alone[i], potentials.has(i)
                            ? "units with potentials need resistors along their own axes: make "
                              "friction a scalar or (d,), and put no resistor between them and "
                              "others"
                            : "quartic units need resistors along their own axes: make "
                              "friction a scalar or (d,), and put no resistor between them and "
                              "others");
        if (elements.interconnection.empty()) continue;
        for (std::size_t j = 0; j < quartic.size(); ++j)
            check(linear(j) || elements.interconnection(i, j) == 0.0,
                  "it is joined to quartic unit ", j,
                  " by the interconnection; give one of the two no quartic term");
    }
}

}  // namespace

bool any_nonzero(const std::vector<double>& values) {
    return std::any_of(values.begin(), values.end(), [](double value) { return value != 0.0; });
}

bool Controls::isothermal() const {
    return std::all_of(kT.begin(), kT.end(), [this](double other) { return other == kT.front(); });
}

bool Controls::has_quartic() const { return any_nonzero(quartic); }

bool Controls::has_sources() const { return any_nonzero(emf) || any_nonzero(current); }

Network::Network(Matrix friction, std::vector<double> inertia)
    : units_(friction.rows()),
      friction_(std::make_shared<const Matrix>(std::move(friction))),
      inertia_(std::move(inertia)),
      elements_(std::make_shared<const Elements>(unit_elements(*friction_, !inertia_.empty()))) {
    require(inertia_.empty() || inertia_.size() == units(),
            "inertia must have one entry per unit: ", units());
    for (double m : inertia_)
        require(std::isfinite(m) && m > 0.0, "inertia must be positive and finite");
}

Network::Network(Elements elements)
    : units_(elements.dimension()),
      friction_(std::make_shared<const Matrix>()),
      elements_(std::make_shared<const Elements>(std::move(elements))) {
    elements_->check();
    if (elements_->interconnection.empty() && !elements_->is_active()) {
        // R = G⁻¹ from the Cholesky factor of G.
        const Matrix lower = cholesky(elements_->mobility(), "the mobility of the resistors");
        const Matrix inverse = solve_lower(lower, Matrix::identity(units_));
        friction_ = std::make_shared<const Matrix>(
            symmetrised(multiply(inverse, inverse, Transposed::yes)));
    }
}

Network::Network(const std::vector<double>& friction)
    : units_(friction.size()),
      sparse_(true),
      friction_(std::make_shared<const Matrix>()),
      elements_(std::make_shared<const Elements>(overdamped_elements(friction))) {
    for (double r : friction)
        require(std::isfinite(r) && r > 0.0, "friction must be positive and finite");
    elements_->check();
}

Network::Network(SparseCircuit circuit)
    : units_(circuit.units()),
      sparse_(true),
      friction_(std::make_shared<const Matrix>()),
      circuit_(std::make_shared<const SparseCircuit>(std::move(circuit))) {
    circuit_->check();
    const std::size_t resistors = circuit_->conductance.size();
    Elements elements;
    elements.directions =
        SparseMatrix(units_, std::vector<std::size_t>(resistors + 1, 0), {}, "directions");
    elements.conductance = circuit_->conductance;
    elements.account = circuit_->account;
    elements.source_directions = Matrix(circuit_->source_directions.rows(), 0);
    elements.noise_density = circuit_->noise_density;
    elements.noise_rate.resize(elements.noise_density.size(), 0.0);
    elements_ = std::make_shared<const Elements>(std::move(elements));
}

Network Network::with_potentials(Potentials potentials) const {
    require(!sparse_, "units of a sparse network take no potential; use a dense stiffness");
    require(potentials.units() == units_, "potential must have one entry per unit");
    Network result = *this;
    result.potentials_ = std::make_shared<const Potentials>(std::move(potentials));
    return result;
}

Stiffness Network::hessian(const Controls& controls) const {
    if (inertia_.empty()) return controls.stiffness;
    Matrix result(dimension(), dimension());
    for (std::size_t i = 0; i < units(); ++i)
        for (std::size_t j = 0; j < units(); ++j) result(i, j) = controls.stiffness(i, j);
    for (std::size_t i = 0; i < inertia_.size(); ++i)
        result(units() + i, units() + i) = 1.0 / inertia_[i];
    return Stiffness(std::move(result));
}

bool Network::is_driven(const Controls& controls) const {
    return !controls.isothermal() || controls.kT.front() == 0.0 || controls.has_sources() ||
           elements_->noises() > 0 || elements_->is_active();
}

bool Network::moves_together(const Controls& controls) const {
    if (circuit_ || is_driven(controls)) return false;
    if (has_inertia()) return !potentials_->empty();
    return elements_->interconnection.empty() &&
           (elements_->along_axes() || elements_->mobility().is_diagonal());
}

Matrix Network::flow() const {
    if (elements_->is_active()) return elements_->active.flow;
    Matrix result = elements_->mobility();
    result = add(-1.0, result, 0.0, result);
    return elements_->interconnection.empty() ? result
                                              : add(1.0, result, 1.0, elements_->interconnection);
}

Matrix Network::drift(const Controls& controls) const {
    return multiply(flow(), hessian(controls).densified().dense());
}

Matrix Network::diffusion(const Controls& controls) const {
    const Elements& e = *elements_;
    std::vector<double> thermal(e.resistors()), white(e.noises());
    for (std::size_t r = 0; r < thermal.size(); ++r)
        thermal[r] = 2.0 * controls.kT[e.account[r]] * e.conductance[r];
    for (std::size_t i = 0; i < white.size(); ++i)
        white[i] = e.noise_rate[i] == 0.0 ? e.noise_density[i] : 0.0;
    Matrix result = weighted_outer(e.directions, thermal);
    if (white.empty()) return result;
    return add(1.0, result, 1.0, weighted_outer(SparseMatrix::of(e.noise_directions), white));
}

void Network::check_bias(const std::vector<double>& bias) const {
    check_size(bias, units(), "bias");
}

void Network::check_sources(const Controls& controls) const {
    check_size(controls.emf, elements_->resistors(), "emf");
    check_size(controls.current, elements_->sources(), "current");
    constexpr double largest_source = 1e150;  // whose square is a double
    for (double emf : controls.emf)
        require(std::abs(emf) <= largest_source,
                "emf is beyond 1e150, so large that energies overflow; scale it down");
    for (double current : controls.current)
        require(std::abs(current) <= largest_source,
                "current is beyond 1e150, so large that energies overflow; scale it down");
}

void Network::check(const Controls& controls) const {
    check_bias(controls.bias);
    require(controls.stiffness.rows() == units() && controls.stiffness.columns() == units(),
            "stiffness must be a square matrix with one row a unit");
    require(
        (controls.stiffness.inverse() != nullptr) == (circuit_ != nullptr),
        "stiffness of a large circuit must be the inverse of its capacitances, which are fixed");
    require(controls.stiffness.is_sparse() == sparse_,
            "stiffness must be sparse where the network's own is, and dense where that is");
    require(sparse_ ? controls.stiffness.sparse().is_finite()
                    : all_finite(controls.stiffness.dense().data(), units() * units()),
            "stiffness must be finite");
    check_size(controls.kT, elements_->accounts(), "kT");
    for (double kT : controls.kT) require(kT >= 0.0, "kT must not be negative");
    require(any_nonzero(controls.kT) || elements_->noises() > 0, "kT must be positive");
    check_size(controls.quartic, units(), "quartic");
    potentials_->check(controls.potential);
    check_on_site(controls.quartic, *potentials_, *elements_);
    check_sources(controls);
}

}  // namespace ktc
