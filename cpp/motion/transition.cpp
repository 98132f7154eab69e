#include "motion/transition.hpp"

#include <cmath>

#include "ground/dense.hpp"

namespace ktc {
namespace {

// With ‖F‖h ≤ 1/2 the Lyapunov operator has norm ≤ 1, and 1/20! is below the rounding of a double.
constexpr double short_hold = 0.5;
constexpr int taylor_terms = 20;

struct ShortMotion {
    Matrix growth;  ///< A − 1: its small entries keep their digits where those of A lose them
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
        const Matrix half = multiply(drift, noise);
        noise = add(scale, half, scale, transpose(half));
        result.growth = add(1.0, result.growth, 1.0, power);
        result.covariance = add(1.0, result.covariance, 1.0, noise);
    }
    return result;
}

/// Q = P − A P Aᵀ, which no length of the hold can spoil.
Matrix covariance_from_stationary(const Matrix& decay, const Matrix& stationary) {
    const Matrix kept =
        multiply(multiply(decay, stationary), decay, Transposed::no, Transposed::yes);
    return symmetrised(add(1.0, stationary, -1.0, kept));
}

}  // namespace

Transition linear_transition(const Matrix& drift, const Matrix& diffusion, const Matrix& stationary,
                             double hold) {
    const double extent = norm(drift) * hold;
    const int doublings =
        extent > short_hold ? static_cast<int>(std::ceil(std::log2(extent / short_hold))) : 0;
    const Matrix identity = Matrix::identity(drift.rows());
    ShortMotion motion = taylor(drift, diffusion, std::ldexp(hold, -doublings));
    if (doublings == 0) return {add(1.0, identity, 1.0, motion.growth), motion.covariance};
    for (int k = 0; k < doublings; ++k)
        motion.growth = add(2.0, motion.growth, 1.0, multiply(motion.growth, motion.growth));
    const Matrix decay = add(1.0, identity, 1.0, motion.growth);
    return {decay, covariance_from_stationary(decay, stationary)};
}

double relaxed_variance(double kT, double rate, double hold) {
    return kT * -std::expm1(-2.0 * rate * hold);
}

Transition natural_transition(const Coordinates& coordinates, double kT, double hold) {
    const std::size_t n = coordinates.dimension();
    if (!coordinates.decoupled()) {
        const Matrix diffusion = add(2.0 * kT, coordinates.mobility, 0.0, coordinates.mobility);
        return linear_transition(coordinates.drift, diffusion,
                                 Matrix::diagonal(std::vector<double>(n, kT)), hold);
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
    const Transition natural = natural_transition(coordinates, controls.kT, hold);
    const Matrix& to_state = coordinates.to_state;
    return {multiply(multiply(to_state, natural.decay), coordinates.from_state),
            symmetrised(multiply(multiply(to_state, natural.covariance), to_state, Transposed::no,
                                 Transposed::yes))};
}

}  // namespace ktc
