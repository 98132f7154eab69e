#pragma once

#include "ground/block_width.hpp"
#include "ground/compensated_sum.hpp"
#include "kernels/pack_bits.hpp"

/// Accounts in packs (physics/ledger.hpp): a sum is a double, its carry the upper half of another.
namespace ktc::KTC_INSTRUCTION_SET {

static_assert(sizeof(UpperHalf) == sizeof(std::uint32_t));

KTC_INLINE Doubles load_halves(const UpperHalf* from) {
    std::uint32_t upper[pack_width];
    std::memcpy(upper, from, sizeof upper);
    std::uint64_t bits[pack_width];
    for (std::size_t i = 0; i < pack_width; ++i) bits[i] = std::uint64_t{upper[i]} << 32;
    return as_doubles(load(bits));
}
KTC_INLINE void store_halves(UpperHalf* to, Doubles value) {
    std::uint64_t bits[pack_width];
    store(bits, as_words(value));
    std::uint32_t upper[pack_width];
    for (std::size_t i = 0; i < pack_width; ++i)
        upper[i] = static_cast<std::uint32_t>(bits[i] >> 32);
    std::memcpy(to, upper, sizeof upper);
}

/// Truncates each number to an UpperHalf.
KTC_INLINE Doubles cut(Doubles x) { return as_doubles(as_words(x) & ~low_half); }

/// Eight accounts in registers. Carries are truncated after every post, so that results do not
/// depend on when accounts are stored and loaded.
struct Account {
    Doubles sum, carry;

    /// Knuth's two-sum, then Dekker's fast two-sum of the total and its rounding error. The carry
    /// stays below half a unit of the sum, and both have 73 bits (Numer. Math. 18, 224, 1971).
    KTC_INLINE void post(Doubles amount) {
        const Doubles total = sum + amount, shadow = total - sum;
        const Doubles lost = carry + ((sum - (total - shadow)) + (amount - shadow));
        sum = total + lost;
        carry = cut(lost - (sum - total));
    }
};

KTC_INLINE Account load_account(const double* sum, const UpperHalf* carry) {
    return {load(sum), load_halves(carry)};
}
KTC_INLINE void store_account(const Account& account, double* sum, UpperHalf* carry) {
    store(sum, account.sum);
    store_halves(carry, account.carry);
}

inline void ledger_post(double* sums, UpperHalf* carries, const double* amounts) {
    for (std::size_t at = 0; at < block_width; at += pack_width) {
        Account account = load_account(sums + at, carries + at);
        account.post(load(amounts + at));
        store_account(account, sums + at, carries + at);
    }
}

inline void ledger_turn(UpperHalf* turnover, const double* amounts) {
    for (std::size_t at = 0; at < block_width; at += pack_width)
        store_halves(turnover + at, load_halves(turnover + at) + absolute(load(amounts + at)));
}

}  // namespace ktc::KTC_INSTRUCTION_SET
