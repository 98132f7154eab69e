#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "ground/half.hpp"
#include "ground/lanes.hpp"
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

/// Where a group's books lie: sum, carry and turnover of each account, a number for each replica.
struct ModalBooks {
    double* work;
    Half* work_carry;
    double* heat;
    Half* heat_carry;
    double* supply;
    Half* supply_carry;
    Half* turnover;
};

/// Steps between two posts of modal moves, which fall where their number is a multiple of it.
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

/// Where a block's posts lie; `own` is the resistor's heat account.
struct BathBooks {
    double *source, *heat, *entropy, *own;
};

/// A matrix as packed_matrix.hpp keeps it.
struct ProductShape {
    std::size_t rows, columns;
};
inline constexpr std::size_t product_panel = 6, product_depth = 512;
/// Products of a packed matrix and a block: out = A block, and x ← (y − x) + A y.
template <class Real>
struct ProductKernels {
    void (*multiply)(const ProductShape& shape, const Real* panels, const Real* block, Real* out);
    void (*move)(const ProductShape& shape, const Real* panels, const Real* y, Real* x);
};

/// What one step of motion/midpoint.hpp does beside its product, one entry a unit.
template <class Real>
struct MidpointStep {
    const Real *rate, *width, *push;
};
/// A unit by itself: e^{−λh} − 1, its noise, what its bias adds, and its quartic relaxation.
template <class Real>
struct MidpointUnit {
    Real growth, width, push, rate, half_rate;
};
/// What one of the state stands for, b and κ, one entry a unit.
struct MidpointPost {
    const double *unit, *force, *quartic;
};
/// A group of replicas, or a whole block where no noise is made (motion/midpoint.hpp says what
/// happens to them). Rows are block_width apart.
template <class Real>
struct MidpointKernels {
    /// Between two products: x relaxes, and y = 2x + η is made ready.
    void (*go)(Real* x, Real* y, std::size_t units, const MidpointStep<Real>& step,
               StreamAddress address);
    void (*relax)(Real* x, std::size_t units, const Real* rate);
    /// Steps of a unit that nothing couples to.
    void (*alone)(Real* x, std::size_t steps, const MidpointUnit<Real>& unit,
                  StreamAddress address);
    /// x̄ between two states, and the posts of the move with `slope` = K x̄, in double precision.
    void (*middle)(const Real* before, const Real* after, std::size_t units, const double* unit,
                   double* middle);
    void (*post)(const Real* before, const Real* after, const double* slope, std::size_t units,
                 const MidpointPost& post, double* heat, double* supply);
};

/// The loops that time is spent in, compiled once for each level of x86-64 (plainly elsewhere).
/// Levels that round a product and a sum once, v3 and v4, give the same bits, the others close
/// ones.
struct Kernels {
    const char* level;
    void (*normals16)(const StreamAddress& address, double* out);
    void (*uniforms16)(const StreamAddress& address, double* out);
    void (*transform16)(const std::uint64_t* radius, const std::uint64_t* angle, double* out);
    void (*normals32)(const StreamAddress& address, float* out);
    void (*transform32)(const std::uint32_t* radius, const std::uint32_t* angle, float* out);
    /// Normals of `count` elements from the address on, one group after the other.
    void (*normal_rows)(const StreamAddress& first, std::size_t count, double* out);
    void (*normal_rows_single)(const StreamAddress& first, std::size_t count, float* out);
    /// Plays `count` ticks on the group of replicas at `state`, rows `stride` apart: sixteen in
    /// double precision; thirty-two in single, where it is their deviation from β.
    void (*modal)(double* state, std::size_t stride, std::size_t units,
                  const ModalTick<double>* ticks, std::size_t count, const StreamAddress& first,
                  const ModalBooks& books);
    void (*modal_single)(float* state, std::size_t stride, std::size_t units,
                         const ModalTick<float>* ticks, std::size_t count,
                         const StreamAddress& first, const ModalBooks& books);
    /// Sub-steps of the splitting integrator on a block: motion/line.hpp, motion/bath.hpp.
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
    ProductKernels<double> product;
    ProductKernels<float> product_single;
    MidpointKernels<double> midpoint;
    MidpointKernels<float> midpoint_single;
    /// offset + unit · from in double precision, and back.
    void (*widen)(const float* from, std::size_t count, double unit, double offset, double* to);
    void (*narrow)(const double* from, std::size_t count, double unit, double offset, float* to);
    /// From offset `before` to `after`, as widened and narrowed; takes change · x from `work`.
    void (*reframe)(float* numbers, std::size_t count, double unit, double before, double after,
                    double change, double* work);
    /// Compensated sums of a block's amounts, and the sum of their sizes.
    void (*ledger_post)(double* sums, Half* carries, const double* amounts);
    void (*ledger_turn)(Half* turnover, const double* amounts);
};

/// The kernels in use: the best that this processor has, unless others were asked for.
const Kernels& kernels();
template <class Real>
const ProductKernels<Real>& product_kernels() {
    if constexpr (std::is_same_v<Real, float>)
        return kernels().product_single;
    else
        return kernels().product;
}
template <class Real>
const MidpointKernels<Real>& midpoint_kernels() {
    if constexpr (std::is_same_v<Real, float>)
        return kernels().midpoint_single;
    else
        return kernels().midpoint;
}
template <class Real>
auto modal_kernel() {
    if constexpr (std::is_same_v<Real, float>)
        return kernels().modal_single;
    else
        return kernels().modal;
}
/// All that this processor has, from the plainest to the best.
std::vector<const Kernels*> available_kernels();
/// Takes others into use, for comparing them. Raises where there are none of that level.
void use_kernels(const std::string& level);

}  // namespace ktc
