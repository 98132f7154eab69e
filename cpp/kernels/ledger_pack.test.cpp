#include <cmath>
#include <vector>

#include "ground/block_width.hpp"
#include "kernels/testing.test.hpp"

using namespace ktc;

#if defined(__SIZEOF_INT128__)
__extension__ using Integer = __int128;

TEST_CASE("sums of posts keep 73 bits: integers of seventy are exact") {
    for (const Kernels* kernels : available_kernels()) {
        std::vector<double> sums(block_width), amounts(block_width);
        std::vector<UpperHalf> carries(block_width);
        std::vector<Integer> exact(block_width);
        std::mt19937_64 engine(1);
        for (int k = 0; k < 1000; ++k) {
            for (std::size_t lane = 0; lane < block_width; ++lane) {
                // Up to 2^30 in multiples of 2^-40, large ones and small ones.
                const int shift = static_cast<int>(engine() % 50);
                const auto amount = static_cast<std::int64_t>(engine() >> 11) >> shift;
                const std::int64_t sign = engine() % 2 == 0 ? 1 : -1;
                exact[lane] += Integer{sign * amount} << (k % 2 == 0 ? 7 : 0);
                amounts[lane] =
                    std::ldexp(static_cast<double>(sign * amount), k % 2 == 0 ? -33 : -40);
            }
            kernels->ledger_post(sums.data(), carries.data(), amounts.data());
        }
        for (std::size_t lane = 0; lane < block_width; ++lane) {
            const Integer found = static_cast<Integer>(std::ldexp(sums[lane], 40)) +
                                  static_cast<Integer>(std::ldexp(double{carries[lane]}, 40));
            CHECK((found == exact[lane]));
        }
    }
}
#endif

TEST_CASE("the turnover is the sum of the sizes of posts, to twenty bits") {
    for (const Kernels* kernels : available_kernels()) {
        std::vector<UpperHalf> turnover(block_width);
        std::vector<double> exact(block_width);
        for (std::uint64_t k = 0; k < 20; ++k) {
            const std::vector<double> amounts = testing::numbers(block_width, k);
            kernels->ledger_turn(turnover.data(), amounts.data());
            for (std::size_t lane = 0; lane < block_width; ++lane)
                exact[lane] += std::abs(amounts[lane]);
        }
        for (std::size_t lane = 0; lane < block_width; ++lane)
            CHECK(double{turnover[lane]} == doctest::Approx(exact[lane]).epsilon(20 * 0x1p-20));
    }
}
