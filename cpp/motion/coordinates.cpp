#include "motion/coordinates.hpp"

#include <cmath>

#include "ground/dense.hpp"
#include "ground/error.hpp"

namespace ktc {
namespace {

// Ratio of rates down to which a plain eigendecomposition keeps twelve digits of all of them.
constexpr double well_conditioned = 1e-4;

/// Uncoupled units pass through no library product, and so keep their order and their bits.
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

/// K = L Lᵀ gives T = L⁻ᵀ and F = Lᵀ (J − G) L.
Coordinates interconnected(const Network& network, const Matrix& stiffness) {
    const Matrix lower = cholesky(stiffness, "stiffness");
    const auto pulled = [&](const Matrix& middle) {
        return multiply(multiply(lower, middle, Transposed::yes), lower);
    };
    Coordinates result;
    result.to_state = solve_lower(lower, Matrix::identity(network.units()), Transposed::yes);
    result.from_state = transpose(lower);
    result.mobility = symmetrised(pulled(network.elements().mobility()));
    result.drift = add(1.0, pulled(network.elements().interconnection), -1.0, result.mobility);
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
    return network.elements().interconnection.empty() ? overdamped(network, stiffness)
                                                      : interconnected(network, stiffness);
}

Coordinates physical_coordinates(const Network& network) {
    Coordinates result;
    result.size = network.dimension();
    result.natural = false;
    return result;
}

}  // namespace ktc
