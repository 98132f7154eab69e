#include <vector>

#include "ground/block_width.hpp"
#include "kernels/testing.test.hpp"

using namespace ktc;

TEST_CASE("numbers are widened exactly and narrowed to the nearest") {
    const auto singles = testing::numbers<float>(block_width, 1);
    for (const Kernels* kernels : available_kernels()) {
        std::vector<double> wide(block_width);
        kernels->widen(singles.data(), block_width, 0.25, 3.0, wide.data());
        std::vector<float> back(block_width);
        kernels->narrow(wide.data(), block_width, 0.25, 3.0, back.data());
        for (std::size_t k = 0; k < block_width; ++k) {
            CHECK(wide[k] == 3.0 + 0.25 * double{singles[k]});
            CHECK(back[k] == singles[k]);
        }
    }
}

TEST_CASE("another frame changes the numbers and not what they stand for") {
    const auto singles = testing::numbers<float>(block_width, 2);
    const std::vector<double> work = testing::numbers(block_width, 3);
    for (const Kernels* kernels : available_kernels())
        for (const double after : {3.0, 3.5}) {
            std::vector<float> moved = singles;
            std::vector<double> posted = work;
            kernels->reframe(moved.data(), block_width, 0.25, 3.0, after, 1.5, posted.data());
            for (std::size_t k = 0; k < block_width; ++k) {
                const double x = 3.0 + 0.25 * double{singles[k]};
                CHECK(after + 0.25 * double{moved[k]} == doctest::Approx(x).epsilon(1e-7));
                CHECK(posted[k] == doctest::Approx(work[k] - 1.5 * x).epsilon(1e-15));
                if (after == 3.0) CHECK(moved[k] == singles[k]);
            }
        }
}
