#include "kernels/kernels.hpp"

#include "ground/error.hpp"

namespace ktc {

#if defined(KTC_X86_64_LEVELS)
namespace v2 {
extern const Kernels table;
}
namespace v3 {
extern const Kernels table;
}
namespace v4 {
extern const Kernels table;
}

std::vector<const Kernels*> available_kernels() {
    __builtin_cpu_init();
    std::vector<const Kernels*> result{&v2::table};
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2") ||
        !__builtin_cpu_supports("fma"))
        return result;
    result.push_back(&v3::table);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        result.push_back(&v4::table);
    return result;
}
#else
namespace plain {
extern const Kernels table;
}

std::vector<const Kernels*> available_kernels() { return {&plain::table}; }
#endif

namespace {

const Kernels*& chosen() {
    static const Kernels* kernels = available_kernels().back();
    return kernels;
}

}  // namespace

const Kernels& kernels() { return *chosen(); }

void use_kernels(const std::string& instruction_set) {
    std::string known;
    for (const Kernels* candidate : available_kernels()) {
        if (candidate->instruction_set == instruction_set) {
            chosen() = candidate;
            return;
        }
        known += std::string(known.empty() ? "" : ", ") + candidate->instruction_set;
    }
    refuse("instruction_set must be one of ", known, ", but is ", instruction_set);
}

}  // namespace ktc
