#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "ground/block_width.hpp"
#include "ground/compensated_sum.hpp"
#include "ground/streams.hpp"

namespace ktc {

/// One tick of independent Ornstein–Uhlenbeck processes: an update of the force, then a hold.
template <class Real>
struct ModalTick {
    const Real* force_change;  ///< Δβ, null where there is no update
    const Real* force;         ///< β held
    const Real* decay;         ///< e^{−λh}
    const Real* growth;        ///< e^{−λh} − 1, with its own digits
    const Real* width;         ///< √(kT (1 − e^{−2λh}))
    // In single precision:
    const Real* force_rest = nullptr;  ///< what rounding left of Δβ
    double common_work = 0.0;          ///< −Δβ·β, β before the update
};

/// The books of a group of replicas: sum, carry and turnover of each account, one number per
/// replica.
struct ModalBooks {
    double* work;
    UpperHalf* work_carry;
    double* heat;
    UpperHalf* heat_carry;
    double* supply;
    UpperHalf* supply_carry;
    UpperHalf* turnover;
};

/// Steps between two posts of modal moves: posts fall at steps whose number is a multiple of it.
inline constexpr std::size_t modal_tile = 16;

/// A nonzero entry of a direction in the space of states, and the quartic term of its coordinate.
struct LineEntry {
    std::size_t coordinate;
    double value;
    double quartic;
};

/// d·A d and d·β of a line.
struct LineMove {
    double curvature, pull;
};

/// δ += width ξ − reach (s + curvature δ − emf), and what books the heat's entropy: 1/kT, or 0.
struct BathMove {
    double reach, width, curvature, emf, per_kT;
};

/// Accumulators of a bath move, one number per replica of a block; `own` is the heat of the
/// resistor itself.
struct BathBooks {
    double *source, *heat, *entropy, *own;
};

/// A matrix as packed_matrix.hpp keeps it.
struct ProductShape {
    std::size_t rows, columns;
};
inline constexpr std::size_t product_panel = 6, product_depth = 512;

/// What one step of motion/midpoint_propagator.hpp does beside its product, one entry per unit.
template <class Real>
struct MidpointStep {
    const Real *rate, *width, *push;
};
/// A unit by itself: e^{−λh} − 1, its noise, what its bias adds, and its quartic relaxation.
template <class Real>
struct MidpointUnit {
    Real growth, width, push, rate, half_rate;
};
/// What one of the state stands for, b and κ, one entry per unit.
struct MidpointPost {
    const double *unit, *force, *quartic;
};

/// Random words of a normal: 64 bits in double precision, 32 in single.
template <class Real>
using WordOf = std::conditional_t<std::is_same_v<Real, float>, std::uint32_t, std::uint64_t>;

/// The kernels that exist in both precisions. A group of replicas is 128 bytes wide: sixteen
/// replicas in double precision, thirty-two in single. Rows of a state are block_width apart.
template <class Real>
struct KernelsOf {
    /// Independent standard normals, one for each replica of the group at an address.
    ///
    /// Box and Muller (Ann. Math. Stat. 29, 610, 1958): √(−2 ln u) times a point of the unit
    /// circle, (cos, sin)(½πy) with its cosine's sign turned where the top bit of the angle's word
    /// is set and the two exchanged where the next one is: four quarters of the circle. Logarithm,
    /// sine and cosine are our own (tools/normal_series.py): the bits depend on the rounding of the
    /// instruction set's arithmetic alone, neither on the maths library nor on the width of
    /// vectors.
    ///
    /// Double precision: u in (0, 1) is an odd multiple of 2^−53 from the low 52 bits of one word,
    /// y in (−½, ½) an odd multiple of 2^−52 from the low 52 bits of the other. |z| ≤ 8.58; what
    /// the true normal has beyond, 1e−17, is lost.
    ///
    /// Single precision: u is (w + ½) 2^−32 to single precision and at most 1 − 2^−24, y an odd
    /// multiple of 2^−23 from the low 23 bits of its word. Eight counters have sixteen pairs of
    /// such words: the first and the second word of counter c are the radii of pairs 2c and 2c + 1,
    /// the third and the fourth their angles. Pair p makes the normals of replicas p and 16 + p.
    /// 3.5e−4 ≤ radius ≤ 6.77.
    void (*normals)(const StreamAddress& address, Real* out);
    /// Normals of `count` elements from the address on, one group after the other.
    void (*normal_rows)(const StreamAddress& first, std::size_t count, Real* out);
    /// The transform alone: a group's normals of given radius and angle words.
    void (*transform)(const WordOf<Real>* radius, const WordOf<Real>* angle, Real* out);

    /// Plays `count` ticks on the group of replicas at `state`, rows `stride` apart. In single
    /// precision the state is the deviation from β.
    void (*modal)(Real* state, std::size_t stride, std::size_t units, const ModalTick<Real>* ticks,
                  std::size_t count, const StreamAddress& first, const ModalBooks& books);

    /// Products of a packed matrix and a block: out = A block, and x ← (y − x) + A y.
    void (*multiply)(const ProductShape& shape, const Real* panels, const Real* block, Real* out);
    void (*multiply_move)(const ProductShape& shape, const Real* panels, const Real* y, Real* x);

    /// Parts of midpoint steps (motion/midpoint_propagator.hpp) of a group of replicas, or of a
    /// whole block where no noise is made. Between two products x relaxes, and y = 2x + η is made
    /// ready.
    void (*midpoint_prepare)(Real* x, Real* y, std::size_t units, const MidpointStep<Real>& step,
                             StreamAddress address);
    void (*midpoint_relax)(Real* x, std::size_t units, const Real* rate);
    /// Steps of a unit that nothing couples to.
    void (*midpoint_uncoupled)(Real* x, std::size_t steps, const MidpointUnit<Real>& unit,
                               StreamAddress address);
    /// x̄ between two states, and the posts of the move with `slope` = K x̄, in double precision.
    void (*midpoint_mean)(const Real* before, const Real* after, std::size_t units,
                          const double* unit, double* mean);
    void (*midpoint_post)(const Real* before, const Real* after, const double* slope,
                          std::size_t units, const MidpointPost& post, double* heat,
                          double* supply);
};

/// The loops that time is spent in, compiled once for each level of x86-64 (plainly elsewhere).
/// Instruction sets that round a product and a sum once, v3 and v4, give the same bits, the others
/// close ones.
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

    /// Sixteen uniform numbers in (0, 1), odd multiples of 2^−53, one per replica of the group.
    void (*uniforms)(const StreamAddress& address, double* out);
    /// Sub-steps of the splitting integrator on a block (motion/substeps.hpp).
    void (*line_slope)(const LineEntry* entries, std::size_t count, const double* state,
                       double start, double* slope);
    void (*line_move)(const LineEntry* entries, std::size_t count, double* state,
                      const LineMove& line, const double* displacement, const double* slope,
                      double* energy, double* supply);
    void (*quartic_relax)(const double* state, double stride, double rate, double* displacement);
    void (*bath_displace)(const BathMove& bath, const double* noise, const double* slope,
                          double* displacement);
    void (*bath_post)(const BathMove& bath, const double* displacement, const double* energy,
                      const BathBooks& books);
    /// offset + unit · from in double precision, and back.
    void (*widen)(const float* from, std::size_t count, double unit, double offset, double* to);
    void (*narrow)(const double* from, std::size_t count, double unit, double offset, float* to);
    /// From offset `before` to `after`, as widened and narrowed; takes change · x from `work`.
    void (*reframe)(float* numbers, std::size_t count, double unit, double before, double after,
                    double change, double* work);
    /// Compensated sums of a block's amounts, and the sum of their sizes.
    void (*ledger_post)(double* sums, UpperHalf* carries, const double* amounts);
    void (*ledger_turn)(UpperHalf* turnover, const double* amounts);
};

/// The kernels in use: the best that this processor has, unless others were asked for.
const Kernels& kernels();
/// All that this processor has, from the plainest to the best.
std::vector<const Kernels*> available_kernels();
/// Takes others into use, for comparing them. Raises where this processor has none of that name.
void use_kernels(const std::string& instruction_set);

}  // namespace ktc
