#pragma once

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

}  // namespace ktc
