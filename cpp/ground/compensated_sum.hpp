#pragma once

#include <cstdint>
#include <cstring>

namespace ktc {

/// Adds `term` to the unevaluated sum `sum + carry` without losing its low bits (Knuth's two-sum;
/// Ogita, Rump, Oishi, SIAM J. Sci. Comput. 26, 1955, 2005). Ledgers of millions of ticks must
/// balance to rounding, which plain sums do not.
inline void add_compensated(double& sum, double& carry, double term) {
    const double total = sum + term;
    const double shadow = total - sum;
    carry += (sum - (total - shadow)) + (term - shadow);
    sum = total;
}

/// Upper half of a double: its sign, its exponent and twenty bits of its mantissa. This suffices
/// for a number that is small beside a double, such as the carry of a compensated sum.
class UpperHalf {
   public:
    UpperHalf() = default;
    /// Truncates the lower half.
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
