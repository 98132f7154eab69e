#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "ground/block_width.hpp"
#include "ground/compensated_sum.hpp"
#include "ground/streams.hpp"
#include "kernels/potential_view.hpp"

namespace ktc {

/// One tick of independent Ornstein–Uhlenbeck processes: an update of the force, then a hold.
template <class Real>
struct ModalTick {
    const Real* force_change;  ///< Δβ; null without update
    const Real* force;         ///< β held
    const Real* decay;         ///< e^{−λh}
    const Real* growth;        ///< e^{−λh} − 1, without cancellation
    const Real* width;         ///< √(kT (1 − e^{−2λh}))
    // In single precision:
    const Real* force_rest = nullptr;  ///< rounding error of Δβ
    double common_work = 0.0;          ///< −Δβ·β with β before the update
    /// Common work of each replica where they differ, null elsewhere. Forces are [unit][lane] then,
    /// from the lane of the group on.
    const double* own_work = nullptr;
};

/// Accounts of a group of replicas, one number per replica: sum and carry of each account, and
/// their turnover.
struct ModalBooks {
    double* work;
    UpperHalf* work_carry;
    double* heat;
    UpperHalf* heat_carry;
    double* supply;
    UpperHalf* supply_carry;
    UpperHalf* turnover;
};

/// Number of steps between two posts of modal moves, which occur at multiples of it.
inline constexpr std::size_t modal_tile = 16;

/// Some rows of the matrix B of correlated noise, column by column: `depth` columns of noise, then
/// those of the filters.
template <class Real>
struct DrivenPanel {
    std::size_t rows, depth;  ///< driven_panel rows, or a smaller power of two
    const std::size_t* row;   ///< where in the state
    const Real* numbers;
};
inline constexpr std::size_t driven_panel = 8;
/// Normals that are made at once, of several ticks where one takes fewer.
inline constexpr std::size_t driven_draws = 4 * modal_tile;

/// Factors of a hold of driven modes, one entry per row: units, then filters.
template <class Real>
struct DrivenMove {
    std::size_t units, filters;
    std::size_t draws;                ///< normals per step
    const Real *decay, *growth;       ///< e^{−λh} and e^{−λh} − 1
    const Real* width;                ///< of the noise that a row has alone; may be null
    const DrivenPanel<Real>* panels;  ///< noise that rows share
    std::size_t panel_count, shared;  ///< number of its first normal
};

/// One tick of driven modes: an update of forces and sources, then a hold.
template <class Real>
struct DrivenTick {
    const DrivenMove<Real>* move;
    const Real* force_change;  ///< Δβ; null without update
    const Real* force;         ///< β held
    const Real* rest;          ///< w* held; in single precision w* − β
    // Energy from sources (motion/driven_motion.hpp); null where there is none.
    const Real* potential = nullptr;  ///< c
    const Real* share = nullptr;      ///< l, of each normal
    double steady = 0.0;              ///< p h
    // In single precision, where the state is the deviation from w*:
    const Real* force_rest = nullptr;   ///< rounding error of Δβ
    const Real* rest_change = nullptr;  ///< Δw*
    const Real* rest_rest = nullptr;    ///< rounding error of Δw*
    double common_work = 0.0;           ///< −Δβ·w* with w* before the update
};

/// Noise that the energy from sources has on its own: pairs of normals by their step, and their
/// weights, for one tile after the other.
struct SourceNoise {
    const std::uint64_t* step;  ///< readable beyond the last one, by a bundle
    const double* weight;       ///< two for each step
    const std::size_t* end;     ///< of each tile, in steps
};

/// Accounts of a group of replicas that sources drive.
struct DrivenBooks {
    ModalBooks modal;
    double* source;
    UpperHalf* source_carry;
};

/// Nonzero entry of a direction in the space of states, with the quartic term of its coordinate.
struct LineEntry {
    std::size_t coordinate;
    double value;
    double quartic;
};

/// d·A d and d·β of a direction d; d·β of every lane where `pulls` is not null.
struct LineMove {
    double curvature, pull;
    const double* pulls = nullptr;
};

/// δ += width ξ − reach (s + curvature δ − emf); `per_kT` is entropy per heat, 1/kT or 0.
struct BathMove {
    double reach, width, curvature, emf, per_kT;
};

/// Accumulators of a bath move, one number per replica of a block; `own` is the heat account of the
/// resistor.
struct BathBooks {
    double *source, *heat, *entropy, *own;
};

/// Shape of a PackedMatrix, and of its panels.
struct ProductShape {
    std::size_t rows, columns;
};
inline constexpr std::size_t product_panel = 6, product_depth = 512;

/// Factors of a midpoint step (motion/midpoint_propagator.hpp) besides its matrix, one per unit.
template <class Real>
struct MidpointStep {
    const Real *rate, *width, *push;
    bool own = false;  ///< whether replicas differ: `push` is [unit][lane] from their lane on
};
/// Factors of an uncoupled unit: e^{−λh} − 1, width of noise, shift by the bias, quartic rates.
template <class Real>
struct MidpointUnit {
    Real growth, width;
    const Real* push;  ///< of the unit, or of every replica if `own`
    Real rate, half_rate;
    bool own = false;
};
/// Unit of the stored state, b and κ, one entry per unit.
struct MidpointPost {
    const double *unit, *force, *quartic;
    bool own = false;  ///< whether `force` is [unit][lane]
};

/// Random word of a normal: 64 bits in double precision, 32 bits in single precision.
template <class Real>
using WordOf = std::conditional_t<std::is_same_v<Real, float>, std::uint32_t, std::uint64_t>;

/// Kernels in both precisions. A group of replicas is 128 bytes wide: sixteen replicas in double
/// precision, thirty-two in single precision. Rows of a state are block_width apart.
template <class Real>
struct KernelsOf {
    /// Independent standard normals, one for each replica of the group at an address.
    ///
    /// Box and Muller (Ann. Math. Stat. 29, 610, 1958): √(−2 ln u) times a point of the unit
    /// circle. The point is (cos, sin)(½πy) in one quarter of the circle; the top bit of the angle
    /// word changes the sign of the cosine, and the next bit exchanges both coordinates. Logarithm,
    /// sine and cosine are series (tools/normal_series.py), so that the bits depend only on the
    /// rounding of the instruction set, not on a maths library or the width of vectors.
    ///
    /// Double precision: u in (0, 1) is an odd multiple of 2^−53 from the low 52 bits of one word,
    /// y in (−½, ½) an odd multiple of 2^−52 from the low 52 bits of the other. Normals are limited
    /// to |z| ≤ 8.58, which leaves out a probability of 1e−17.
    ///
    /// Single precision: u is (w + ½) 2^−32, rounded and at most 1 − 2^−24; y is an odd multiple of
    /// 2^−23 from the low 23 bits of its word. Eight counters have sixteen pairs of such words: the
    /// first two words of counter c are the radii of pairs 2c and 2c + 1, the last two their
    /// angles. Pair p makes the normals of replicas p and 16 + p. 3.5e−4 ≤ radius ≤ 6.77.
    void (*normals)(const StreamAddress& address, Real* out);
    /// Normals of `count` consecutive elements from an address on.
    void (*normal_rows)(const StreamAddress& first, std::size_t count, Real* out);
    /// Normals of a group from given radius and angle words.
    void (*transform)(const WordOf<Real>* radius, const WordOf<Real>* angle, Real* out);

    /// Plays `count` ticks on the group of replicas at `state`, rows `stride` apart. In single
    /// precision the state is the deviation from β.
    void (*modal)(Real* state, std::size_t stride, std::size_t units, const ModalTick<Real>* ticks,
                  std::size_t count, const StreamAddress& first, const ModalBooks& books);

    /// Plays `count` ticks on the group of replicas at `state`, rows `stride` apart, with noise of
    /// the sources' own (null for none). `scratch` has room for driven_draws normals of a group, or
    /// those of a tick, and for the filters.
    void (*driven)(Real* state, std::size_t stride, const DrivenTick<Real>* ticks,
                   std::size_t count, const StreamAddress& first, const SourceNoise& own,
                   const DrivenBooks& books, Real* scratch);

    /// Products of a packed matrix and a block: out = A block, and x ← (y − x) + A y.
    void (*multiply)(const ProductShape& shape, const Real* panels, const Real* block, Real* out);
    void (*multiply_move)(const ProductShape& shape, const Real* panels, const Real* y, Real* x);

    /// Parts of midpoint steps (motion/midpoint_propagator.hpp) besides the product. The first
    /// relaxes x and sets y = 2x + η for a group of replicas; the second relaxes a whole block.
    void (*midpoint_prepare)(Real* x, Real* y, std::size_t units, const MidpointStep<Real>& step,
                             StreamAddress address);
    void (*midpoint_relax)(Real* x, std::size_t units, const Real* rate);
    /// Steps of an uncoupled unit.
    void (*midpoint_uncoupled)(Real* x, std::size_t steps, const MidpointUnit<Real>& unit,
                               StreamAddress address);
    /// Mean x̄ of two states, and heat and supply of the move between them with `slope` = K x̄.
    void (*midpoint_mean)(const Real* before, const Real* after, std::size_t units,
                          const double* unit, double* mean);
    void (*midpoint_post)(const Real* before, const Real* after, const double* slope,
                          std::size_t units, const MidpointPost& post, double* heat,
                          double* supply);

    /// On-site potentials of `count` replicas in units of `unit`: a relaxation of x over g t =
    /// `reach`; energy += sign · V(x); and steps of an uncoupled unit.
    void (*potential_relax)(const PotentialView& view, double unit, double reach, std::size_t count,
                            Real* x);
    void (*potential_energy)(const PotentialView& view, double unit, double sign, std::size_t count,
                             const Real* x, double* energy);
    void (*potential_uncoupled)(Real* x, std::size_t steps, const PotentialView& view,
                                const MidpointUnit<Real>& factors, double reach, double unit,
                                StreamAddress address);
};

/// The inner loops, compiled once for each level of x86-64; other processors have one plain
/// version. Levels with fused multiply-add, v3 and v4, give the same bits. The bits of the others
/// differ by rounding.
struct Kernels {
    const char* instruction_set;
    KernelsOf<double> full;
    KernelsOf<float> single;
    template <class Real>
    const KernelsOf<Real>& of() const {
        if constexpr (std::is_same_v<Real, float>)
            return single;
        else
            return full;
    }

    /// Sixteen uniform numbers in (0, 1), odd multiples of 2^−53, one per replica of a group.
    void (*uniforms)(const StreamAddress& address, double* out);
    /// Sub-steps of the splitting integrator on a block (motion/substeps.hpp).
    void (*line_slope)(const LineEntry* entries, std::size_t count, const double* state,
                       const LineMove& line, double* slope);
    void (*line_move)(const LineEntry* entries, std::size_t count, double* state,
                      const LineMove& line, const double* displacement, const double* slope,
                      double* energy, double* supply);
    void (*quartic_relax)(const double* state, double stride, double rate, double* displacement);
    /// V′ and V″.
    void (*potential_slope)(const PotentialView& view, std::size_t count, const double* x,
                            double* slope, double* curvature);
    /// Steps of an uncoupled unit with inertia; `momentum` is the element of its second noise.
    void (*inertial_uncoupled)(double* x, double* p, std::size_t steps, const PotentialView& view,
                               const InertialUnit& unit, StreamAddress address,
                               std::uint32_t momentum);
    void (*bath_displace)(const BathMove& bath, const double* noise, const double* slope,
                          double* displacement);
    void (*bath_post)(const BathMove& bath, const double* displacement, const double* energy,
                      const BathBooks& books);
    /// to = offset + unit · from in double precision, and the inverse.
    void (*widen)(const float* from, std::size_t count, double unit, double offset, double* to);
    void (*narrow)(const double* from, std::size_t count, double unit, double offset, float* to);
    /// Changes the offset from `before` to `after`, and subtracts change · x from `work`.
    void (*reframe)(float* numbers, std::size_t count, double unit, double before, double after,
                    double change, double* work);
    /// Adds the amounts of a block to compensated sums, and their magnitudes to the turnover.
    void (*ledger_post)(double* sums, UpperHalf* carries, const double* amounts);
    void (*ledger_turn)(UpperHalf* turnover, const double* amounts);
};

/// The kernels in use: the best of this processor unless use_kernels() chose others.
const Kernels& kernels();
/// All kernels that this processor can run, from the plainest to the best.
std::vector<const Kernels*> available_kernels();
/// Selects kernels by name, to compare them. Raises if this processor cannot run them.
void use_kernels(const std::string& instruction_set);

}  // namespace ktc
