// CMakeLists.txt compiles this file once for each instruction set, whose name it defines as
// KTC_INSTRUCTION_SET (kernels.hpp).
#include "kernels/kernels.hpp"

#include "kernels/conversion_pack.hpp"
#include "kernels/driven_pack.hpp"
#include "kernels/ledger_pack.hpp"
#include "kernels/midpoint_pack.hpp"
#include "kernels/modal_pack.hpp"
#include "kernels/normal_pack.hpp"
#include "kernels/potential_pack.hpp"
#include "kernels/product_pack.hpp"
#include "kernels/splitting_pack.hpp"

#define KTC_TEXT_OF(name) #name
#define KTC_TEXT(name) KTC_TEXT_OF(name)

namespace ktc::KTC_INSTRUCTION_SET {
namespace {

template <class Real>
void put(const NormalPair<Real>& normals, Real* out) {
    store(out, normals.first);
    store(out + lanes_of<Real>, normals.second);
}

template <class Real>
void normals(const StreamAddress& address, Real* out) {
    NormalPair<Real> pair[1];
    normals_at(Stream(address), {address.step}, {address.element}, pair);
    put(pair[0], out);
}

/// Draws whole bundles of addresses; the last bundle may be longer than the rest of `count`.
template <class Real>
void normal_rows(const StreamAddress& first, std::size_t count, Real* out) {
    constexpr std::size_t width = 2 * lanes_of<Real>;
    const Stream stream(first);
    UnitsOfStep sweep{first.step, first.element};
    for (std::size_t k = 0; k < count; k += bundle) {
        NormalPair<Real> pairs[bundle];
        next_noise(stream, sweep, pairs);
        for (std::size_t i = 0; i < bundle && k + i < count; ++i)
            put(pairs[i], out + (k + i) * width);
    }
}

void uniforms(const StreamAddress& address, double* out) {
    WordPair words[1];
    Stream(address).words({address.step}, {address.element}, words);
    store(out, uniform(words[0].first));
    store(out + pack_width, uniform(words[0].second));
}

template <class Real>
void transform(const WordOf<Real>* radius, const WordOf<Real>* angle, Real* out) {
    WordPair words[1];
    std::memcpy(&words[0].first, radius, sizeof words[0].first);
    std::memcpy(&words[0].second, angle, sizeof words[0].second);
    NormalPair<Real> pair[1];
    normals_of(words, pair);
    put(pair[0], out);
}

template <class Real>
constexpr KernelsOf<Real> kernels_of{
    .normals = normals<Real>,
    .normal_rows = normal_rows<Real>,
    .transform = transform<Real>,
    .modal = modal_of<Real>,
    .driven = driven<Real>,
    .multiply = product<Real>,
    .multiply_move = product_move<Real>,
    .midpoint_prepare = midpoint_prepare<Real>,
    .midpoint_relax = midpoint_relax<Real>,
    .midpoint_uncoupled = midpoint_uncoupled<Real>,
    .midpoint_mean = midpoint_mean<Real>,
    .midpoint_post = midpoint_post<Real>,
    .potential_relax = potential_relax<Real>,
    .potential_energy = potential_energy<Real>,
    .potential_uncoupled = potential_uncoupled<Real>,
};

}  // namespace

extern const Kernels table;
const Kernels table{
    .instruction_set = KTC_TEXT(KTC_INSTRUCTION_SET),
    .full = kernels_of<double>,
    .single = kernels_of<float>,
    .uniforms = uniforms,
    .line_slope = line_slope,
    .line_move = line_move,
    .quartic_relax = quartic_relax,
    .potential_slope = potential_slope,
    .inertial_uncoupled = inertial_uncoupled,
    .bath_displace = bath_displace,
    .bath_post = bath_post,
    .widen = widen,
    .narrow = narrow,
    .reframe = reframe,
    .ledger_post = ledger_post,
    .ledger_turn = ledger_turn,
};

}  // namespace ktc::KTC_INSTRUCTION_SET
