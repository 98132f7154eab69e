#include "motion/sparse_equilibrium.hpp"

#include <cmath>
#include <functional>

#include "motion/fixtures.test.hpp"

using namespace ktc;
using namespace ktc::testing;

namespace {

const std::function<bool()> always;

Controls chain(double kT, double last = 2.0) {
    const Matrix stiffness = matrix({{2.0, -1.0, 0.0}, {-1.0, 3.0, 1.5}, {0.0, 1.5, last}});
    Controls controls = controls_of(Stiffness(SparseMatrix::of(stiffness)), kT);
    controls.bias = {1.0, 0.0, -0.5};
    return controls;
}

/// K⁻¹ by Gauss–Jordan elimination.
Matrix inverse(Matrix a) {
    const std::size_t n = a.rows();
    Matrix result = Matrix::identity(n);
    for (std::size_t k = 0; k < n; ++k) {
        const double pivot = a(k, k);
        for (std::size_t j = 0; j < n; ++j) {
            a(k, j) /= pivot;
            result(k, j) /= pivot;
        }
        for (std::size_t i = 0; i < n; ++i) {
            const double factor = i == k ? 0.0 : a(i, k);
            for (std::size_t j = 0; j < n; ++j) {
                a(i, j) -= factor * a(k, j);
                result(i, j) -= factor * result(k, j);
            }
        }
    }
    return result;
}

}  // namespace

TEST_CASE("cold draws are the minimum K⁻¹b") {
    const Controls controls = chain(1e-30);
    Watch watch(always);
    Workspace workspace(3, 0);
    std::vector<double> state(3 * block_width);
    SparseEquilibrium(controls).draw(state.data(), whole_block(), workspace, watch);
    const Matrix covariance = inverse(controls.stiffness.sparse().dense());
    for (std::size_t i = 0; i < 3; ++i)
        CHECK(state[i * block_width + 9] ==
              doctest::Approx(covariance(i, 0) - 0.5 * covariance(i, 2)).epsilon(1e-12));
}

TEST_CASE("draws have covariance kT K⁻¹") {
    const double kT = 0.7;
    Controls controls = chain(kT);
    controls.bias = {0.0, 0.0, 0.0};
    const SparseEquilibrium equilibrium(controls);
    Watch watch(always);
    Workspace workspace(3, 0);
    Matrix found(3, 3);
    constexpr int draws = 300;
    const double count = draws * static_cast<double>(block_width);
    for (std::uint64_t draw = 0; draw < draws; ++draw) {
        std::vector<double> state(3 * block_width);
        equilibrium.draw(state.data(), whole_block(draw), workspace, watch);
        add_outer_block(state.data(), 3, block_width, found);
    }
    const Matrix covariance = inverse(controls.stiffness.sparse().dense());
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 3; ++j) {
            const double scale = kT * std::sqrt(covariance(i, i) * covariance(j, j));
            CHECK(std::abs(found(i, j) / count - kT * covariance(i, j)) <
                  4.5 * scale * std::sqrt(2.0 / count));
        }
}

TEST_CASE("a stiffness that no scaling makes dominant is refused") {
    CHECK(SparseEquilibrium::applies(chain(1.0).stiffness.sparse()));
    CHECK_FALSE(SparseEquilibrium::applies(chain(1.0, 0.5).stiffness.sparse()));
    CHECK_THROWS_AS(SparseEquilibrium(chain(1.0, 0.5)), std::invalid_argument);
}
