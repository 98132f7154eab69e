// Compiled once for each level, with KTC_LEVEL its name: see kernels.hpp and CMakeLists.txt.
#include "kernels/kernels.hpp"
#include "kernels/line_pack.hpp"
#include "kernels/modal_pack.hpp"
#include "kernels/normal_pack.hpp"

#define KTC_TEXT_OF(name) #name
#define KTC_TEXT(name) KTC_TEXT_OF(name)

namespace ktc::KTC_LEVEL {
namespace {

void put(const NormalPair& normals, double* out) {
    store(out, normals.first);
    store(out + pack_width, normals.second);
}

void normals16(const StreamAddress& address, double* out) {
    NormalPair normals[1];
    normals_at(Stream(address), {address.step}, {address.element}, normals);
    put(normals[0], out);
}

void uniforms16(const StreamAddress& address, double* out) {
    WordPair words[1];
    Stream(address).words({address.step}, {address.element}, words);
    store(out, uniform(words[0].first));
    store(out + pack_width, uniform(words[0].second));
}

void transform16(const std::uint64_t* radius, const std::uint64_t* angle, double* out) {
    WordPair words[1];
    std::memcpy(&words[0].first, radius, sizeof words[0].first);
    std::memcpy(&words[0].second, angle, sizeof words[0].second);
    NormalPair normals[1];
    normals_of(words, normals);
    put(normals[0], out);
}

}  // namespace

extern const Kernels table;
const Kernels table{KTC_TEXT(KTC_LEVEL), normals16,  uniforms16,    transform16,   modal,
                    line_slope,          line_move,  quartic_relax, bath_displace, bath_post,
                    ledger_post,         ledger_turn};

}  // namespace ktc::KTC_LEVEL
