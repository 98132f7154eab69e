#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "physics/elements.hpp"
#include "physics/energy.hpp"
#include "physics/sparse_circuit.hpp"

namespace ktc {

bool any_nonzero(const std::vector<double>& values);

/// Controls, which may change while a network runs. The stored energy of state z = x or (x, p) is
///     H = ½ xᵀ K x − bᵀ x + ¼ Σ_i κ_i x_i⁴ + Σ_i V_i(x_i) + ½ pᵀ M⁻¹ p.
struct Controls {
    std::vector<double> bias;     ///< b, one entry per unit
    Stiffness stiffness;          ///< K, symmetric
    std::vector<double> kT;       ///< k_B T, one entry per heat account of the network
    std::vector<double> quartic;  ///< κ, one entry per unit
    std::vector<double> emf;      ///< e_r, one entry per resistor
    std::vector<double> current;  ///< I_s, one entry per current source
    /// Numbers of all V_i (physics/potential.hpp).
    std::vector<double> potential{};  // NOLINT(readability-redundant-member-init)
    /// b of each replica, whose mean is `bias` then; null if all have the same.
    std::shared_ptr<const ReplicaNumbers> own_bias{};  // NOLINT(readability-redundant-member-init)

    bool operator==(const Controls&) const = default;
    bool isothermal() const;
    bool has_quartic() const;
    bool has_sources() const;
};

/// Name and member of a control; null for the stiffness, which is not a vector.
struct NamedControl {
    const char* name;
    std::vector<double> Controls::* values;
};
inline constexpr std::array<NamedControl, 7> named_controls{{{"bias", &Controls::bias},
                                                             {"stiffness", nullptr},
                                                             {"quartic", &Controls::quartic},
                                                             {"kT", &Controls::kT},
                                                             {"emf", &Controls::emf},
                                                             {"current", &Controls::current},
                                                             {"potential", &Controls::potential}}};

/// The part of a network that does not change while it runs, in the equation of motion of
/// physics/elements.hpp. Overdamped units: z = x, J = 0, G = R⁻¹. Units with inertia: z = (x, p),
/// J the symplectic block, G = diag(0, R). Circuits: z = x, any J and any resistors.
class Network {
   public:
    /// `friction` R is (d, d) symmetric positive definite; `inertia` M has d entries, or none.
    Network(Matrix friction, std::vector<double> inertia);
    explicit Network(Elements elements);
    /// Overdamped units, one resistor each, whose stiffness is sparse.
    explicit Network(const std::vector<double>& friction);
    /// A large circuit, whose stiffness is the inverse of its storage.
    explicit Network(SparseCircuit circuit);
    /// This network with on-site potentials of its units. Raises if it is sparse.
    Network with_potentials(Potentials potentials) const;

    std::size_t units() const { return units_; }
    /// Length of the state z: d, or 2d with inertia.
    std::size_t dimension() const { return elements_->dimension(); }
    bool has_inertia() const { return !inertia_.empty(); }
    const Elements& elements() const { return *elements_; }
    /// Whether the stiffness is sparse; such a network moves by steps, whose cost is proportional
    /// to the number of couplings.
    bool is_sparse() const { return sparse_; }
    /// The elements of a large circuit, null otherwise; `elements` has no directions then.
    const std::shared_ptr<const SparseCircuit>& circuit() const { return circuit_; }
    /// R = G⁻¹ of an overdamped network; empty with an interconnection or a sparse stiffness.
    const Matrix& friction() const { return *friction_; }
    const std::vector<double>& inertia() const { return inertia_; }
    const Potentials& potentials() const { return *potentials_; }
    /// Whether H has no more than quadratic terms at these controls.
    bool is_linear(const Controls& controls) const {
        return potentials_->empty() && !controls.has_quartic();
    }

    /// ∇²H of the quadratic part, (dimension, dimension).
    Stiffness hessian(const Controls& controls) const;
    /// J − G of dz = (J − G) ∇H dt + …, or M with active elements, (dimension, dimension).
    Matrix flow() const;
    /// F = (J − G) ∇²H of dz = F z dt + …, of the quadratic part of H and without filters.
    Matrix drift(const Controls& controls) const;
    /// D = Σ_r 2 kT_r g_r d_r d_rᵀ + Σ_i S_i a_i a_iᵀ, the covariance rate of white noise, without
    /// filtered noise.
    Matrix diffusion(const Controls& controls) const;
    /// Whether exp(−H/kT) is not stationary at these controls: sources, noise generators, active
    /// elements, several temperatures, or no temperature.
    bool is_driven(const Controls& controls) const;
    /// Whether midpoint steps apply: each unit has its own resistor, at one temperature of all, and
    /// there are no sources; or the steps of units with potentials and inertia.
    bool moves_together(const Controls& controls) const;

    /// Raises on controls of a wrong shape, not finite, or whose energy is not confining.
    void check(const Controls& controls) const;
    /// Raises on a bias of a wrong shape or not finite.
    void check_bias(const std::vector<double>& bias) const;
    /// The same of EMFs and currents.
    void check_sources(const Controls& controls) const;

   private:
    // Pointers are shared by all copies, because snapshots copy engines.
    std::size_t units_;
    bool sparse_ = false;
    std::shared_ptr<const Matrix> friction_;
    std::vector<double> inertia_;
    std::shared_ptr<const Elements> elements_;
    std::shared_ptr<const SparseCircuit> circuit_;
    std::shared_ptr<const Potentials> potentials_ = std::make_shared<const Potentials>();
};

}  // namespace ktc
