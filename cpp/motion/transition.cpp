#include "motion/transition.hpp"

#include <algorithm>
#include <utility>

#include "ground/dense.hpp"
#include "ground/error.hpp"

namespace ktc {
namespace {

// Ratio of rates down to which a plain eigendecomposition keeps twelve digits of all of them.
constexpr double well_conditioned = 1e-4;

/// Uncoupled units are not multiplied by the library, so that they keep their order and bits.
Coordinates uncoupled(const Network& network, const Matrix& stiffness) {
    std::vector<double> to_state, from_state, rates;
    for (std::size_t i = 0; i < network.units(); ++i) {
        require(stiffness(i, i) > 0.0, "stiffness is not positive definite");
        to_state.push_back(1.0 / std::sqrt(stiffness(i, i)));
        from_state.push_back(std::sqrt(stiffness(i, i)));
        rates.push_back(stiffness(i, i) / network.friction()(i, i));
    }
    return {Matrix::diagonal(to_state), Matrix::diagonal(from_state), rates, {}, {}};
}

/// R = L Lᵀ and L⁻¹ K L⁻ᵀ = U Λ Uᵀ give T = L⁻ᵀ U Λ^(−½) and T⁻¹ = Λ^½ Uᵀ Lᵀ.
Coordinates overdamped(const Network& network, const Matrix& stiffness) {
    if (stiffness.is_diagonal() && network.friction().is_diagonal())
        return uncoupled(network, stiffness);
    const Matrix lower = cholesky(network.friction(), "friction");
    const Matrix half = solve_lower(lower, stiffness);
    const Matrix whitened = symmetrised(solve_lower(lower, transpose(half)));
    SymmetricEigen eigen = symmetric_eigen(whitened);
    if (eigen.values.front() < well_conditioned * eigen.values.back())
        eigen = symmetric_eigen_of_factor(solve_lower(lower, cholesky(stiffness, "stiffness")));

    Coordinates result;
    result.rates = eigen.values;
    result.to_state = solve_lower(lower, eigen.vectors, Transposed::yes);
    result.from_state = multiply(eigen.vectors, lower, Transposed::yes, Transposed::yes);
    for (std::size_t k = 0; k < network.units(); ++k) {
        const double root = std::sqrt(eigen.values[k]);
        for (std::size_t i = 0; i < network.units(); ++i) {
            result.to_state(i, k) /= root;
            result.from_state(k, i) *= root;
        }
    }
    return result;
}

/// K = L Lᵀ gives T = diag(L⁻ᵀ, M^½) and F = [[0, LᵀM^(−½)], [−M^(−½)L, −M^(−½) R M^(−½)]].
Coordinates underdamped(const Network& network, const Matrix& stiffness) {
    const std::size_t d = network.units();
    const Matrix lower = cholesky(stiffness, "stiffness");
    const Matrix inverse = solve_lower(lower, Matrix::identity(d));

    Coordinates result;
    result.to_state = Matrix(2 * d, 2 * d);
    result.from_state = Matrix(2 * d, 2 * d);
    result.drift = Matrix(2 * d, 2 * d);
    result.mobility = Matrix(2 * d, 2 * d);
    for (std::size_t i = 0; i < d; ++i) {
        const double root = std::sqrt(network.inertia()[i]);
        result.to_state(d + i, d + i) = root;
        result.from_state(d + i, d + i) = 1.0 / root;
        for (std::size_t j = 0; j < d; ++j) {
            result.to_state(i, j) = inverse(j, i);
            result.from_state(i, j) = lower(j, i);
            const double rotation = lower(i, j) / root;
            result.drift(d + i, j) = -rotation;
            result.drift(j, d + i) = rotation;
            const double damping =
                network.friction()(i, j) / root / std::sqrt(network.inertia()[j]);
            result.drift(d + i, d + j) = -damping;
            result.mobility(d + i, d + j) = damping;
        }
    }
    return result;
}

/// K = L Lᵀ gives T = L⁻ᵀ and F = Lᵀ (J − G) L, or Lᵀ M L.
Coordinates interconnected(const Network& network, const Matrix& stiffness) {
    const Matrix lower = cholesky(stiffness, "stiffness");
    const auto pulled = [&](const Matrix& middle) {
        return multiply(multiply(lower, middle, Transposed::yes), lower);
    };
    Coordinates result;
    result.to_state = solve_lower(lower, Matrix::identity(network.units()), Transposed::yes);
    result.from_state = transpose(lower);
    result.mobility = symmetrised(pulled(network.elements().mobility()));
    result.drift =
        network.elements().is_active()
            ? pulled(network.flow())
            : add(1.0, pulled(network.elements().interconnection), -1.0, result.mobility);
    return result;
}

}  // namespace

std::vector<double> Coordinates::force(const std::vector<double>& bias) const {
    std::vector<double> padded(bias);
    padded.resize(dimension(), 0.0);
    return to_state.empty() ? padded : multiply(to_state, padded, Transposed::yes);
}

Coordinates natural_coordinates(const Network& network, const Stiffness& given) {
    require(!given.is_sparse(),
            "this needs a dense stiffness, as a sparse network moves by steps alone: pass "
            "stiffness.toarray()");
    const Matrix& stiffness = given.dense();
    if (network.has_inertia()) return underdamped(network, stiffness);
    const Elements& elements = network.elements();
    return elements.interconnection.empty() && !elements.is_active()
               ? overdamped(network, stiffness)
               : interconnected(network, stiffness);
}

Coordinates physical_coordinates(const Network& network) {
    Coordinates result;
    result.size = network.dimension();
    result.natural = false;
    return result;
}

namespace {

// With ‖F‖h ≤ 1/2 the Lyapunov operator has norm ≤ 1, and 1/20! is below double rounding.
constexpr double short_hold = 0.5;
constexpr int taylor_terms = 20;
// Largest error of A P Aᵀ + Q − P with the doubled covariance Q, relative to P.
constexpr double defect_allowed = 1e-13;

struct ShortMotion {
    Matrix growth;  ///< A − 1, whose small entries keep the digits that A would lose
    Matrix covariance;
};

/// A − 1 = Σ (Fh)ᵏ/k! and Q = Σ hᵏ/k! L_k with L_1 = D, L_{k+1} = F L_k + L_k Fᵀ.
ShortMotion taylor(const Matrix& drift, const Matrix& diffusion, double hold) {
    Matrix power = add(hold, drift, 0.0, drift);
    Matrix noise = add(hold, diffusion, 0.0, diffusion);
    ShortMotion result{power, noise};
    for (int k = 2; k <= taylor_terms; ++k) {
        const double scale = hold / k;
        power = multiply(drift, power);
        power = add(scale, power, 0.0, power);
        const Matrix product = multiply(drift, noise);
        noise = add(scale, product, scale, transpose(product));
        result.growth = add(1.0, result.growth, 1.0, power);
        result.covariance = add(1.0, result.covariance, 1.0, noise);
    }
    return result;
}

/// Q = P − A P Aᵀ = −(G P + P Gᵀ + G P Gᵀ) with G = A − 1.
Matrix covariance_from_stationary(const Matrix& growth, const Matrix& stationary) {
    const Matrix first = multiply(growth, stationary);
    const Matrix second = multiply(first, growth, Transposed::no, Transposed::yes);
    return symmetrised(add(-1.0, second, -2.0, first));
}

/// Whether A Aᵀ + Q/kT = 1, which holds in natural coordinates; false for NaN.
bool contracts(const Transition& transition, double kT) {
    for (std::size_t i = 0; i < transition.decay.rows(); ++i) {
        double sum = transition.covariance(i, i) / kT;
        for (std::size_t j = 0; j < transition.decay.columns(); ++j)
            sum += transition.decay(i, j) * transition.decay(i, j);
        if (!(std::abs(sum - 1.0) < 1e-3)) return false;
    }
    return true;
}

}  // namespace

Transition linear_transition(const Matrix& drift, const Matrix& diffusion, const Matrix& stationary,
                             double hold) {
    // The product of norm and hold may overflow; its logarithm does not.
    const double extent = std::log2(norm(drift)) + std::log2(hold) - std::log2(short_hold);
    const int doublings = static_cast<int>(std::max(0.0, std::ceil(extent)));
    const Matrix identity = Matrix::identity(drift.rows());
    auto [growth, covariance] = taylor(drift, diffusion, std::ldexp(hold, -doublings));
    // Doubling adds positive terms only. Small entries of Q keep their digits beside large ones:
    // those of slow coordinates beside fast ones, of positions beside momenta.
    for (int k = 0; k < doublings; ++k) {
        const Matrix decay = add(1.0, identity, 1.0, growth);
        const Matrix carried =
            multiply(multiply(decay, covariance), decay, Transposed::no, Transposed::yes);
        covariance = symmetrised(add(1.0, covariance, 1.0, carried));
        growth = add(2.0, growth, 1.0, multiply(growth, growth));
    }
    // At high quality factors rounding accumulates over many periods: Q from balance is better.
    if (doublings > 0 && !stationary.empty()) {
        Matrix balanced = covariance_from_stationary(growth, stationary);
        const double defect = norm(add(1.0, balanced, -1.0, covariance));
        if (defect > defect_allowed * norm(stationary)) covariance = std::move(balanced);
    }
    return {add(1.0, identity, 1.0, growth), covariance};
}

Flow exact_flow(const Matrix& drift, const std::vector<double>& scale, double hold) {
    const std::size_t n = drift.rows();
    Matrix scaled = drift;
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) scaled(i, j) *= scale[i] / scale[j];

    const double extent = norm(scaled) * hold;
    const int doublings = extent > 0.5 ? static_cast<int>(std::ceil(std::log2(extent / 0.5))) : 0;
    const double step = std::ldexp(hold, -doublings);
    Matrix term = add(step, Matrix::identity(n), 0.0, scaled);
    Matrix integral = term;
    for (int k = 2; k <= 21; ++k) {
        term = multiply(scaled, term);
        term = add(step / k, term, 0.0, term);
        integral = add(1.0, integral, 1.0, term);
    }
    Matrix growth = multiply(scaled, integral);
    for (int k = 0; k < doublings; ++k) {
        integral = add(2.0, integral, 1.0, multiply(growth, integral));
        growth = add(2.0, growth, 1.0, multiply(growth, growth));
    }
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < n; ++j) {
            growth(i, j) *= scale[j] / scale[i];
            integral(i, j) *= scale[j] / scale[i];
        }
    return {growth, integral, doublings};
}

double relaxed_variance(double kT, double rate, double hold) {
    return kT * -std::expm1(-2.0 * rate * hold);
}

double relaxed_integral(double rate, double hold) {
    return rate == 0.0 ? hold : -std::expm1(-rate * hold) / rate;
}

Transition natural_transition(const Coordinates& coordinates, double kT, double hold) {
    const std::size_t n = coordinates.dimension();
    if (!coordinates.decoupled()) {
        const Matrix diffusion = add(2.0 * kT, coordinates.mobility, 0.0, coordinates.mobility);
        Transition result = linear_transition(coordinates.drift, diffusion,
                                              Matrix::diagonal(std::vector<double>(n, kT)), hold);
        require(contracts(result, kT),
                "friction is so weak that rounding outweighs it (a quality factor above about "
                "1e15); raise it, or lower the inertia");
        return result;
    }
    Transition result{Matrix(n, n), Matrix(n, n)};
    for (std::size_t i = 0; i < n; ++i) {
        result.decay(i, i) = std::exp(-coordinates.rates[i] * hold);
        result.covariance(i, i) = relaxed_variance(kT, coordinates.rates[i], hold);
    }
    return result;
}

Transition network_transition(const Network& network, const Controls& controls, double hold) {
    const Coordinates coordinates = natural_coordinates(network, controls.stiffness);
    const Transition natural = natural_transition(coordinates, controls.kT.front(), hold);
    const Matrix& to_state = coordinates.to_state;
    return {multiply(multiply(to_state, natural.decay), coordinates.from_state),
            symmetrised(multiply(multiply(to_state, natural.covariance), to_state, Transposed::no,
                                 Transposed::yes))};
}

}  // namespace ktc
