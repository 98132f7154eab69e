#include "ground/matrix.hpp"

#include <doctest/doctest.h>
#include <cstdint>
#include <utility>

#include "ground/testing.test.hpp"

using namespace ktc;
using ktc::testing::matrix;

TEST_CASE("entries lie row by row") {
    Matrix a(2, 3);
    CHECK(a.rows() == 2);
    CHECK(a.columns() == 3);
    a(1, 0) = 4.0;
    CHECK(a.data()[3] == 4.0);
    CHECK(a.row(1) == std::vector<double>{4.0, 0.0, 0.0});
    CHECK(a == matrix({{0, 0, 0}, {4, 0, 0}}));
    CHECK_FALSE(a == Matrix(3, 2));
    CHECK(Matrix().empty());
}

TEST_CASE("diagonal matrices") {
    CHECK(Matrix::diagonal({1.0, 2.0}) == matrix({{1, 0}, {0, 2}}));
    CHECK(Matrix::identity(2) == matrix({{1, 0}, {0, 1}}));
    CHECK(Matrix::identity(3).is_diagonal());
    CHECK_FALSE(matrix({{1, 0}, {1e-300, 1}}).is_diagonal());
}

TEST_CASE("numbers begin with a cache line and are moved without a copy") {
    Aligned<float> first(3);
    CHECK(reinterpret_cast<std::uintptr_t>(first.data()) % 64 == 0);
    first.data()[2] = 5.0f;
    const float* at = first.data();
    const Aligned<float> second = std::move(first);
    CHECK(second.data() == at);
    CHECK(second.data()[2] == 5.0f);
    CHECK(Aligned<double>().data() == nullptr);
}
