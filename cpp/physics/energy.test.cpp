#include "physics/energy.hpp"

#include "ground/block_width.hpp"
#include "ground/testing.test.hpp"

using namespace ktc;
using ktc::testing::matrix;

TEST_CASE("a stiffness is dense or sparse, and compares by its numbers") {
    const Matrix numbers = matrix({{2, 1}, {1, 3}});
    const Stiffness dense(numbers), sparse(SparseMatrix::of(numbers));
    CHECK_FALSE(dense.is_sparse());
    CHECK(sparse.is_sparse());
    for (const Stiffness& each : {dense, sparse}) {
        CHECK(each.rows() == 2);
        CHECK(each.columns() == 2);
        CHECK(each(0, 1) == 1.0);
        CHECK_FALSE(each.empty());
        CHECK(each.densified() == dense);
    }
    CHECK(dense == Stiffness(numbers));
    CHECK(sparse == Stiffness(SparseMatrix::of(numbers)));
    CHECK_FALSE(dense == sparse);
    CHECK_FALSE(dense == Stiffness(Matrix::identity(2)));
    CHECK(Stiffness().empty());
}

namespace {

/// ½ wᵀAw − βᵀw + ¼ Σ κ w⁴ of a lane, term by term.
double energy_of(const Matrix& hessian, const std::vector<double>& force,
                 const std::vector<double>& quartic, const std::vector<double>& state,
                 std::size_t lane) {
    const auto w = [&](std::size_t i) { return state[i * block_width + lane]; };
    double energy = 0.0;
    for (std::size_t i = 0; i < force.size(); ++i) {
        for (std::size_t j = 0; j < force.size(); ++j) energy += 0.5 * w(i) * hessian(i, j) * w(j);
        energy += 0.25 * quartic[i] * w(i) * w(i) * w(i) * w(i) - force[i] * w(i);
    }
    return energy;
}

void check(const Energy& energy, const Matrix& hessian, const std::vector<double>& quartic) {
    const std::size_t n = quartic.size();
    const std::vector<double> state = testing::numbers(n * block_width, 1);
    const std::vector<double> force = testing::numbers(n, 2);
    std::vector<double> scratch(n * block_width), found(block_width);
    energy.of_block(state.data(), force, scratch.data(), found.data());
    for (std::size_t lane = 0; lane < block_width; ++lane)
        CHECK(found[lane] ==
              doctest::Approx(energy_of(hessian, force, quartic, state, lane)).epsilon(1e-13));
}

}  // namespace

TEST_CASE("energy of a block: dense, sparse, and in natural coordinates") {
    const std::size_t n = 5;
    const Matrix hessian = testing::random_positive_definite(n, 3);
    const std::vector<double> none(n), quartic = {0.0, 1.0, 0.5, 0.0, 2.0};
    check({Stiffness(hessian), {}}, hessian, none);
    check({Stiffness(hessian), quartic}, hessian, quartic);
    check({Stiffness(SparseMatrix::of(hessian)), {}}, hessian, none);
    check({Stiffness(SparseMatrix::of(hessian)), quartic}, hessian, quartic);
    check({Stiffness(), {}}, Matrix::identity(n), none);
    check({Stiffness(), quartic}, Matrix::identity(n), quartic);
}

TEST_CASE("energy of more units than are summed at once") {
    const std::size_t n = 1030;
    const Energy energy{Stiffness(SparseMatrix::axes(n, n, 0)), {}};
    const std::vector<double> state(n * block_width, 2.0), force(n, 0.5);
    std::vector<double> found(block_width);
    energy.of_block(state.data(), force, nullptr, found.data());
    for (const double each : found) CHECK(each == 1030.0 * (0.5 * 4.0 - 0.5 * 2.0));
}
