#include "kernels/packed_matrix.hpp"

#include "ground/block_width.hpp"
#include "kernels/testing.test.hpp"

using namespace ktc;
using ktc::testing::epsilon;

namespace {

struct Shape {
    std::size_t rows, columns;
};
/// About the edges of a panel (6 rows) and of what is summed at once (512 columns).
constexpr Shape shapes[] = {{1, 1}, {5, 5}, {6, 6}, {7, 7}, {13, 26}, {3, 513}, {8, 1025}, {50, 3}};

template <class Real>
struct Case {
    std::vector<Real> entries, block;
    PackedMatrix<Real> packed;

    explicit Case(const Shape& shape)
        : entries(testing::numbers<Real>(shape.rows * shape.columns, 1)),
          block(testing::numbers<Real>(shape.columns * block_width, 2)),
          packed(shape.rows, shape.columns,
                 [&](std::size_t i, std::size_t j) { return entries[i * shape.columns + j]; }) {}
};

}  // namespace

TEST_CASE_TEMPLATE("products are sums of products", Real, double, float) {
    for (const Kernels* kernels : available_kernels()) {
        const testing::Using scope(*kernels);
        for (const Shape& shape : shapes) {
            const Case<Real> of(shape);
            std::vector<Real> found(shape.rows * block_width, Real{7});
            of.packed.multiply(of.block.data(), found.data());
            std::size_t wrong = 0;
            for (std::size_t i = 0; i < shape.rows; ++i)
                for (std::size_t lane = 0; lane < block_width; ++lane) {
                    double sum = 0.0, size = 0.0;
                    for (std::size_t j = 0; j < shape.columns; ++j) {
                        const double term = double{of.entries[i * shape.columns + j]} *
                                            double{of.block[j * block_width + lane]};
                        sum += term;
                        size += std::abs(term);
                    }
                    // A sum of n terms is off by n roundings of their sizes at most (Higham 2002).
                    const double allowed =
                        static_cast<double>(shape.columns) * epsilon<Real> * size;
                    if (!(std::abs(double{found[i * block_width + lane]} - sum) <= allowed))
                        ++wrong;
                }
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE_TEMPLATE("a move is (y - x) + A y", Real, double, float) {
    for (const Kernels* kernels : available_kernels()) {
        const testing::Using scope(*kernels);
        for (const std::size_t n : {1, 6, 7, 64, 513}) {
            const Case<Real> of({n, n});
            const std::vector<Real> x = testing::numbers<Real>(n * block_width, 3);
            std::vector<Real> moved = x, product(n * block_width);
            of.packed.move(of.block.data(), moved.data());
            of.packed.multiply(of.block.data(), product.data());
            std::size_t wrong = 0;
            for (std::size_t k = 0; k < moved.size(); ++k) {
                const double change = double{of.block[k]} - double{x[k]};
                const double expected = change + double{product[k]};
                const double size = std::abs(double{moved[k]}) + std::abs(double{product[k]}) + 2.0;
                if (!(std::abs(double{moved[k]} - expected) <= 4 * epsilon<Real> * size)) ++wrong;
            }
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE_TEMPLATE("products have the same bits where they are fused", Real, double, float) {
    for (const Shape& shape : shapes)
        testing::check_same_bits([&](const Kernels& kernels) {
            const testing::Using scope(kernels);
            const Case<Real> of(shape);
            std::vector<Real> found(shape.rows * block_width);
            of.packed.multiply(of.block.data(), found.data());
            return found;
        });
}

TEST_CASE_TEMPLATE("a lane knows nothing of its neighbours", Real, double, float) {
    const Case<Real> of({20, 70});
    std::vector<Real> alone(of.block.size(), Real{0}), together(20 * block_width), single(together);
    for (std::size_t j = 0; j < 70; ++j)
        alone[j * block_width + 37] = of.block[j * block_width + 37];
    of.packed.multiply(of.block.data(), together.data());
    of.packed.multiply(alone.data(), single.data());
    for (std::size_t i = 0; i < 20; ++i)
        CHECK(together[i * block_width + 37] == single[i * block_width + 37]);
}

TEST_CASE("a packed matrix of a dense one") {
    const PackedMatrix<double> packed(testing::matrix({{1, 2}, {3, 4}}));
    std::vector<double> block(2 * block_width, 1.0), out(2 * block_width);
    packed.multiply(block.data(), out.data());
    CHECK(out[5] == 3.0);
    CHECK(out[block_width + 5] == 7.0);
}
