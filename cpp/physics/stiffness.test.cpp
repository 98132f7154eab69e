#include "physics/stiffness.hpp"

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
