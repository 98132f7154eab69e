#pragma once

#include <cstdint>
#include <cstring>

namespace ktc {

/// Adds `term` to the unevaluated sum `sum + carry` without losing its low bits
/// (Knuth's two-sum; Ogita, Rump, Oishi, SIAM J. Sci. Comput. 26, 1955, 2005).
/// Books kept over millions of ticks must close to rounding, which a plain sum does not.
inline void add_compensated(double& sum, double& carry, double term) {
    const double total = sum + term;
    const double shadow = total - sum;
    carry += (sum - (total - shadow)) + (term - shadow);
    sum = total;
}

/// The upper half of a double: its sign, its exponent and twenty bits of its mantissa. What is
/// small beside a double, such as the carry of its compensated sum, needs no more, at any scale of
/// units.
class UpperHalf {
   public:
    UpperHalf() = default;
    /// The lower half is cut off.
    explicit UpperHalf(double value) {
        std::uint64_t bits;
        std::memcpy(&bits, &value, sizeof bits);
        upper_ = static_cast<std::uint32_t>(bits >> 32);
    }
    /// Exact.
    operator double() const {
        const std::uint64_t bits = std::uint64_t{upper_} << 32;
        double value;
        std::memcpy(&value, &bits, sizeof value);
        return value;
    }

   private:
    std::uint32_t upper_ = 0;
};

}  // namespace ktc
