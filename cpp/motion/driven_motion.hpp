#pragma once

#include <memory>
#include <vector>

#include "motion/flow_solver.hpp"
#include "motion/transition.hpp"

namespace ktc {

/// Motion of a linear network about its rest w*, in natural coordinates,
///     dv = F v dt + noise of covariance rate D,
/// v = (w − w*, x), where x are the currents of filters in units that make them as wide as w.
struct DrivenMotion {
    Matrix drift, diffusion;
    Matrix balance;  ///< kT·1 at one temperature without generators, which balances them; or empty
    std::vector<double> filter_unit;
};
/// Without the noise that all resistors have at `common_kT`.
DrivenMotion driven_motion(const Network& network, const Controls& controls,
                           const Coordinates& coordinates, double common_kT = 0.0);

/// Covariance of the stationary state. Raises if the network is not stable.
Matrix stationary_covariance(const DrivenMotion& motion);

/// Exact motion over a hold: v′ = A v + B ξ.
struct DrivenTransition {
    double hold;
    Matrix decay;   ///< A
    Matrix factor;  ///< B
    Matrix lag;     ///< ∫₀ʰ e^{Fs} ds
    std::vector<double> filter_unit;
    SemidefiniteSolver solver;  ///< of B
};
DrivenTransition driven_transition(const DrivenMotion& motion, double hold);
/// Covariance of the noise of a hold, ∫₀ʰ e^{Fs} D e^{Fᵀs} ds, and e^{Fh}.
Transition transition_of(const DrivenMotion& motion, double hold);

/// Exact motion of the state z of any linear network, followed by the currents of filters, over a
/// hold.
Transition driven_network_transition(const Network& network, const Controls& controls, double hold);

/// ∇H where a network under sources rests, −(J − G)⁻¹ (Σ_r g_r e_r d_r + Σ_s I_s a_s).
std::vector<double> rest_slope(const Network& network, const Controls& controls,
                               const FlowSolver& solver);

/// Energy y from EMFs and current sources,
///     dy = Σ_r e_r dξ_r + Σ_s I_s a_s·∇H dt = c·dv + p dt + dζ,
/// a function of the state, the mean power of the stationary state, and white noise. With the
/// solution χ of (J − G)ᵀ χ = Σ_s I_s a_s − Σ_r e_r g_r d_r, which adds to c·dv what is not noise,
///     dζ = Σ_r (e_r − χ·d_r) √(2 kT_r g_r) dW_r − Σ_i χ·a_i √S_i dW_i.
/// With active elements the power of sources is that of Active: c_s takes the place of a_s in χ,
/// and Σ_s I_s m_sr that of e_r in ζ.
struct SourceFlow {
    std::vector<double> displacement;  ///< w* − β
    std::vector<double> potential;     ///< c, for w and the currents of filters
    double power;                      ///< p
    double diffusion;                  ///< variance rate of ζ
    std::vector<double> correlation;   ///< covariance rate of ζ with w and these currents
    bool independent;                  ///< whether that vanishes and w relaxes to N(w*, kT·1)
};
/// Null if all sources are zero. Coordinates that are decoupled need no solver.
std::shared_ptr<const SourceFlow> source_flow(const Network& network, const Controls& controls,
                                              const Coordinates& coordinates,
                                              const FlowSolver* solver);

/// Energy from sources over a hold: y = c·(v′ − v) + p h + l·ξ + σ η, with the ξ of the transition.
struct SourceMove {
    std::shared_ptr<const SourceFlow> flow;
    std::vector<double> potential;  ///< c
    double steady;                  ///< p h
    std::vector<double> noise;      ///< l
    double width;                   ///< σ
};
std::shared_ptr<const SourceMove> source_move(std::shared_ptr<const SourceFlow> flow,
                                              const DrivenTransition& transition);

}  // namespace ktc
