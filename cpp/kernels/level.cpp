// Compiled once for each level, with KTC_LEVEL its name: see kernels.hpp and CMakeLists.txt.
#include "kernels/kernels.hpp"
#include "kernels/line_pack.hpp"
#include "kernels/modal_pack.hpp"
#include "kernels/normal_pack.hpp"

#define KTC_TEXT_OF(name) #name
#define KTC_TEXT(name) KTC_TEXT_OF(name)

namespace ktc::KTC_LEVEL {
namespace {

void put(NormalPair normals, double* out) {
    store(out, normals.first);
    store(out + pack_width, normals.second);
}

void normals16(const StreamAddress& address, double* out) {
    put(normals_of(words_of(address)), out);
}

void uniforms16(const StreamAddress& address, double* out) {
    const WordPair words = words_of(address);
    store(out, uniform(words.first));
    store(out + pack_width, uniform(words.second));
}

void transform16(const std::uint64_t* radius, const std::uint64_t* angle, double* out) {
    WordPair words;
    std::memcpy(&words.first, radius, sizeof words.first);
    std::memcpy(&words.second, angle, sizeof words.second);
    put(normals_of(words), out);
}

}  // namespace

extern const Kernels table;
const Kernels table{KTC_TEXT(KTC_LEVEL), normals16,  uniforms16,    transform16,   modal,
                    line_slope,          line_move,  quartic_relax, bath_displace, bath_post,
                    ledger_post,         ledger_turn};

}  // namespace ktc::KTC_LEVEL
