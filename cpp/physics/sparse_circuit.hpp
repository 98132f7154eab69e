#pragma once

#include <cstddef>
#include <vector>

#include "ground/sparse_factor.hpp"

namespace ktc {

/// A large circuit, at a cost proportional to its elements. Its state z are charges and fluxes with
/// H = ½ zᵀ S⁻¹ z − bᵀ z, where S has capacitances and inductances; ∇H are voltages of charges and
/// currents of inductors. Nodes that hold no charge are coordinates after those of the state: their
/// voltages, which ∇H is continued by to y, balance the currents there at every time. With S = 0
/// for them,
///     dz = J y dt + Σ_r d_r dξ_r + Σ_s a_s I_s dt + Σ_i a_i j_i dt,    y = (∇H, u)
/// has the left-hand side 0 in their rows (Ho, Ruehli, Brennan, IEEE Trans. Circuits Syst. 22, 504,
/// 1975). White noise that meets at such a node is shared by its resistors, which share a heat
/// account.
struct SparseCircuit {
    SparseMatrix storage;               ///< S, (n, n)
    SparseMatrix interconnection;       ///< J = −Jᵀ, (N, N), which joins fluxes to charges
    SparseMatrix directions;            ///< d_r, (resistors, N), zero for fluxes
    std::vector<double> conductance;    ///< g_r
    std::vector<std::size_t> account;   ///< heat account of resistor r
    SparseMatrix source_directions;     ///< a_s, (sources, N)
    SparseMatrix noise_directions;      ///< a_i, (noises, N), zero for fluxes and nodes
    std::vector<double> noise_density;  ///< S_i, two-sided, of white noise
    std::size_t first_flux = 0;         ///< charges are in front of it, fluxes from it on
    std::vector<std::size_t> order;     ///< an order of elimination, of N
    /// Bounds of the rates |λ| of the drift.
    double fastest = 0.0, slowest = 0.0;
    std::size_t fill = 0;  ///< entries of the factor of a step

    std::size_t units() const { return storage.rows(); }
    std::size_t coordinates() const { return directions.columns(); }
    bool is_flux(std::size_t i) const { return i >= first_flux && i < units(); }

    /// Raises on wrong shapes, and numbers that are not finite or not positive.
    void check() const;
    /// The order of elimination among the coordinates of the state.
    std::vector<std::size_t> order_of_state() const;
    /// S + G h − J h with rows of fluxes negated, which makes it symmetric and quasi-definite:
    /// G = Σ_r g_r d_r d_rᵀ. It has an entry for every pair that an element joins.
    SparseMatrix stepped(double h) const;
    /// Σ_r w_r d_r d_rᵀ + Σ_i v_i a_i a_iᵀ.
    SparseMatrix weighted(const std::vector<double>& of_resistors,
                          const std::vector<double>& of_noises) const;
    /// Σ_r g_r e_r d_r + Σ_s I_s a_s.
    std::vector<double> push(const std::vector<double>& emf,
                             const std::vector<double>& current) const;
    /// Subtracts (G − J) y from `left`.
    void subtract_flow(const std::vector<double>& slope, std::vector<double>& left) const;
    /// (∇Hᵀ S ∇H)^½, the root of twice the energy.
    double root_energy(const std::vector<double>& slope) const;
    /// What root_energy of an error is measured by: that of y, of the largest capacitance at the
    /// largest voltage, and of the largest inductance at the largest current, also of resistors and
    /// sources, so that coordinates that rest at zero are measured by the others.
    double scale_of_energy(const std::vector<double>& slope, const std::vector<double>& emf,
                           const std::vector<double>& current) const;
    /// y where a circuit under these sources rests. Raises if it is not found.
    std::vector<double> rest_slope(std::vector<double> emf, std::vector<double> current) const;
};

/// Σ_j a_ij x_j of every row.
std::vector<double> multiply(const SparseMatrix& matrix, const std::vector<double>& vector);

}  // namespace ktc
