// Compiled once for each level, with KTC_LEVEL its name: see kernels.hpp and CMakeLists.txt.
#include "kernels/kernels.hpp"

#include "kernels/account_pack.hpp"
#include "kernels/line_pack.hpp"
#include "kernels/midpoint_pack.hpp"
#include "kernels/modal_pack.hpp"
#include "kernels/normal_pack.hpp"
#include "kernels/precision_pack.hpp"
#include "kernels/product_pack.hpp"

#define KTC_TEXT_OF(name) #name
#define KTC_TEXT(name) KTC_TEXT_OF(name)

namespace ktc::KTC_LEVEL {
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

/// Whole bundles of addresses, and the last of them with some to spare.
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

void uniforms16(const StreamAddress& address, double* out) {
    WordPair words[1];
    Stream(address).words({address.step}, {address.element}, words);
    store(out, uniform(words[0].first));
    store(out + pack_width, uniform(words[0].second));
}

template <class Real, class Word>
void transform(const Word* radius, const Word* angle, Real* out) {
    WordPair words[1];
    std::memcpy(&words[0].first, radius, sizeof words[0].first);
    std::memcpy(&words[0].second, angle, sizeof words[0].second);
    NormalPair<Real> pair[1];
    normals_of(words, pair);
    put(pair[0], out);
}

template <class Real>
constexpr ProductKernels<Real> products{product<Real>, product_move<Real>};

template <class Real>
constexpr MidpointKernels<Real> midpoint{midpoint_go<Real>, midpoint_relax<Real>,
                                         midpoint_alone<Real>, midpoint_middle<Real>,
                                         midpoint_post<Real>};

}  // namespace

extern const Kernels table;
const Kernels table{KTC_TEXT(KTC_LEVEL),
                    normals<double>,
                    uniforms16,
                    transform<double>,
                    normals<float>,
                    transform<float>,
                    normal_rows<double>,
                    normal_rows<float>,
                    modal_of<double>,
                    modal_of<float>,
                    line_slope,
                    line_move,
                    quartic_relax,
                    bath_displace,
                    bath_post,
                    products<double>,
                    products<float>,
                    midpoint<double>,
                    midpoint<float>,
                    widen,
                    narrow,
                    reframe,
                    ledger_post,
                    ledger_turn};

}  // namespace ktc::KTC_LEVEL
