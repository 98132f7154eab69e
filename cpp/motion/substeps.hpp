#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "motion/noise_address.hpp"
#include "motion/workspace.hpp"
#include "physics/energy.hpp"

namespace ktc {

/// Direction d of a sub-step in the space of states. A displacement δ along it changes the energy
/// by
///     H(w + δ d) − H(w) = s δ + ½ c δ² + ¼ Σ_i κ_i [(w_i + δ d_i)⁴ − w_i⁴],
/// s = d·(A w − β) and c = d·A d, which is evaluated locally. The force β is an argument because it
/// changes from tick to tick.
class SubstepDirection {
   public:
    SubstepDirection(const Energy& energy, std::span<const SparseEntry> direction);
    SubstepDirection(const Energy& energy, const std::vector<double>& direction);

    double curvature() const { return curvature_; }
    /// d·β, of every lane if they differ.
    class Pull {
       public:
        Pull(const std::vector<LineEntry>& steps, const LaneNumbers& force);
        double shared() const { return shared_; }
        const double* lanes() const { return differ_ ? lanes_ : nullptr; }

       private:
        bool differ_;
        double shared_ = 0.0, lanes_[block_width];
    };
    Pull pull(const LaneNumbers& force) const { return {steps_, force}; }
    /// s of every lane, with d·β = `pull`.
    void slope(const double* state, const Pull& pull, double* slope) const;
    /// Moves every lane by its δ; adds the energy change to `energy` and d·β δ to `supply`. `slope`
    /// is s of the state before the move.
    void move(double* state, const double* displacement, const double* slope, const Pull& pull,
              double* energy, double* supply) const;

    /// Whether d has one nonzero entry, `stride` at coordinate `axis`.
    bool along_axis() const { return steps_.size() == 1; }
    std::size_t axis() const { return steps_.front().coordinate; }
    double stride() const { return steps_.front().value; }
    double quartic() const { return steps_.front().quartic; }
    /// Whether d moves a quartic unit.
    bool is_quartic() const;

   private:
    std::vector<LineEntry> steps_;   ///< nonzero entries of d
    std::vector<LineEntry> slopes_;  ///< nonzero entries of A d
    double curvature_ = 0.0;
};

/// Sub-step of one resistor: the state moves along d by δ,
///     dδ = −g (s + c δ − e) dt + √(2 kT g) dW,
/// an exact one-dimensional Ornstein–Uhlenbeck move, which leaves exp(−H/kT) of a quadratic H
/// invariant at any step. A quartic unit relaxes in its quartic potential for half of the step
/// before and half after it, w′ = w/√(1 + 2gκd² w² t), which is second order in the step. The
/// energy change without the work of the source e is the heat of this resistor.
class ResistorMove {
   public:
    struct Resistor {
        double conductance, kT;
        std::size_t account;
    };
    /// Raises if the direction moves a quartic unit together with others.
    ResistorMove(SubstepDirection direction, const Resistor& resistor, double step);

    /// `element` is the element of its noise address.
    void advance(double* state, const LaneNumbers& force, double emf, const NoiseAddress& address,
                 std::uint32_t element, Posts& posts) const;
    /// The same about a rest where `force` holds the network and the voltage u = d·∇H − e drives a
    /// steady current: e δ is posted as source, and −u δ as heat.
    void advance_about_rest(double* state, const LaneNumbers& force, double emf, double voltage,
                            const NoiseAddress& address, std::uint32_t element, Posts& posts) const;

   private:
    BathMove bath(double emf) const;
    void displace(double* state, const LaneNumbers& force, const BathMove& bath,
                  const NoiseAddress& address, std::uint32_t element, double* displacement,
                  double* energy, Posts& posts) const;

    SubstepDirection direction_;
    Resistor resistor_;
    double reach_, width_;  ///< δ = −(s − e) reach + width ξ
    double quartic_rate_;
};

/// Sub-step of one noise generator, which injects charge along a without drift or dissipation.
/// White noise of two-sided density S injects N(0, S h). Behind a low-pass filter of rate λ = 2πΔf
/// the current obeys dj = −λ j dt + λ√S dW and is moved exactly together with its integral. The
/// energy change is posted as injected.
class GeneratorMove {
   public:
    /// `rate` 0 means white noise.
    GeneratorMove(SubstepDirection direction, double density, double rate, double step);

    /// `filter` is the current j of every lane, null for white noise. The noise has two elements,
    /// `element` and the next. `rest_slope` is a·∇H at the rest where `force` holds the network.
    void advance(double* state, double* filter, const LaneNumbers& force,
                 const NoiseAddress& address, std::uint32_t element, Posts& posts,
                 double rest_slope = 0.0) const;

   private:
    SubstepDirection direction_;
    double decay_ = 0.0, reach_ = 0.0;  ///< j′ = decay j + …, charge = reach j + …
    double charge_width_, filter_width_ = 0.0, filter_share_ = 0.0;
};

}  // namespace ktc
