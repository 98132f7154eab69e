#pragma once

#include "ground/block_width.hpp"
#include "ground/compensated_sum.hpp"
#include "kernels/pack_bits.hpp"

/// Books by packs (physics/ledger.hpp): a sum is a double and its carry the upper half of another.
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

/// What an UpperHalf keeps of each number.
KTC_INLINE Doubles cut(Doubles x) { return as_doubles(as_words(x) & ~low_half); }

/// Eight accounts while they are in registers. They hold at all times what they would hold after
/// being stored and loaded, so that results do not depend on when that happens.
struct Account {
    Doubles sum, carry;

    /// Knuth's two-sum, then Dekker's of the total and all that it lost: the carry stays below half
    /// a unit of the sum, and both together have 73 bits (Dekker, Numer. Math. 18, 224, 1971).
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
