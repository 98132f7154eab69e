#pragma once

#include <cstddef>
#include <vector>

#include "ground/sparse.hpp"

namespace ktc {

/// Motion and power of a circuit with active elements, such as amplifiers, which have no bath:
///     dz = M ∇H dt + Σ_r d_r √(2 kT_r g_r) dW_r + Σ_s a_s I_s dt + …
/// with any M, and the power of source s
///     I_s (c_s·∇H + Σ_t D_st I_t + Σ_r m_sr √(2 kT_r g_r) dW_r/dt).
struct Active {
    Matrix flow;         ///< M, (n, n); empty without active elements
    Matrix readings;     ///< c_s, one per row, (sources, n)
    Matrix conductance;  ///< D, (sources, sources)
    Matrix noise;        ///< m, (sources, resistors)
};

/// The elements of a circuit in the one equation of every circuit, state z of n coordinates:
///     dz = J ∇H dt + Σ_r d_r dξ_r + Σ_s a_s I_s dt + Σ_i a_i j_i dt,
///     dξ_r = −g_r (d_r·∇H − e_r) dt + √(2 kT_r g_r) dW_r
/// (Freitas, Delvenne, Esposito, Phys. Rev. X 10, 031005, 2020). Injected currents j_i are noise of
/// generators, without a bath: white of two-sided density S_i, or the same behind a low-pass
/// filter.
struct Elements {
    Matrix interconnection;             ///< J = −Jᵀ, (n, n); empty where there is none
    SparseMatrix directions;            ///< d_r, one per row, (resistors, n)
    std::vector<double> conductance;    ///< g_r
    std::vector<std::size_t> account;   ///< which heat account resistor r belongs to
    Matrix source_directions;           ///< a_s, one per row, (sources, n)
    Matrix noise_directions;            ///< a_i, one per row, (noises, n)
    std::vector<double> noise_density;  ///< S_i
    std::vector<double> noise_rate;     ///< 2π times the filter's bandwidth; 0 for white noise
    Active active{};                    ///< instead of J and EMFs, where there are active elements

    std::size_t dimension() const { return directions.columns(); }
    std::size_t resistors() const { return conductance.size(); }
    std::size_t sources() const { return source_directions.rows(); }
    std::size_t noises() const { return noise_density.size(); }
    bool is_active() const { return !active.flow.empty(); }
    /// Heat accounts: one more than the largest number in `account`.
    std::size_t accounts() const;
    /// Noises with a filter, whose current is an extra coordinate of each replica.
    std::size_t filters() const;
    /// Whether every resistor lies along one coordinate, so that G is diagonal.
    bool along_axes() const;
    /// Mobility G = Σ_r g_r d_r d_rᵀ, (n, n).
    Matrix mobility() const;

    /// Raises on wrong shapes, numbers that are not finite or not positive, or a J that is not
    /// antisymmetric.
    void check() const;
};

/// Σ_r w_r d_r d_rᵀ over the rows d_r of `directions`, (n, n).
Matrix weighted_outer(const SparseMatrix& directions, const std::vector<double>& weights);

/// Resistors of overdamped units, in unit order. Those of a dense friction matrix R = L Lᵀ lie
/// along the rows of L⁻¹ and share one account.
Elements overdamped_elements(const Matrix& friction);
/// Resistors of overdamped units with a diagonal R.
Elements overdamped_elements(const std::vector<double>& friction);
/// Elements of units with inertia, z = (x, p): J is the symplectic block, and resistors act on
/// momenta.
Elements inertial_elements(const Matrix& friction);

}  // namespace ktc
