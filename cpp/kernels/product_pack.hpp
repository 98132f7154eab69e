#pragma once

#include "kernels/kernels.hpp"
#include "kernels/pack.hpp"

/// Product of a packed matrix and a block of replicas, whose rows are block_width apart. Sums of a
/// tile stay in registers, which libraries do less well for narrow blocks
/// (docs/decisions/matrix-product-kernel.md; Goto, van de Geijn, ACM Trans. Math. Softw. 34, 12,
/// 2008). Each lane sums over a row in order at any shape of tiles, so that levels with fused
/// multiply-add give the same bits.
namespace ktc::KTC_INSTRUCTION_SET {

/// Rows and registers of a tile: enough sums to hide the latency of fused multiply-add, and few
/// enough to leave registers for their factors. Rows divide product_panel.
#if defined(__AVX512F__)
inline constexpr std::size_t tile_rows = 6, tile_registers = 4;
#elif KTC_FUSED
inline constexpr std::size_t tile_rows = 6, tile_registers = 2;
#else
inline constexpr std::size_t tile_rows = 2, tile_registers = 4;
#endif
static_assert(product_panel % tile_rows == 0);

/// Stores entry(sum, at) at out[at] in `rows` rows, where `sum` runs over `depth` columns of a
/// panel.
template <class Real, class Entry>
KTC_INLINE void product_tile(const Real* panel, std::size_t depth, const Real* block, Real* out,
                             std::size_t rows, Entry entry) {
    constexpr std::size_t lanes = sizeof(Register<Real>) / sizeof(Real);
    Register<Real> sums[tile_rows][tile_registers] = {};
    for (std::size_t k = 0; k < depth; ++k) {
        Register<Real> factors[tile_registers];
        for (std::size_t p = 0; p < tile_registers; ++p)
            factors[p] = load_register(block + k * block_width + p * lanes);
        for (std::size_t r = 0; r < tile_rows; ++r) {
            const Register<Real> number = panel[k * product_panel + r] - Register<Real>{};
            for (std::size_t p = 0; p < tile_registers; ++p)
                sums[r][p] = fused(number, factors[p], sums[r][p]);
        }
    }
    for (std::size_t r = 0; r < tile_rows && r < rows; ++r)
        for (std::size_t p = 0; p < tile_registers; ++p) {
            const std::size_t at = r * block_width + p * lanes;
            store_register(out + at, entry(sums[r][p], at));
        }
}

/// Product by panels, so that each is read once, in groups of columns whose rows of the block stay
/// in cache. A sum over the first group is stored as first(sum, at).
template <class Real, class First>
KTC_INLINE void product_of(const ProductShape& shape, const Real* panels, const Real* block,
                           Real* out, First first) {
    constexpr std::size_t wide = tile_registers * sizeof(Register<Real>) / sizeof(Real);
    static_assert(block_width % wide == 0);
    for (std::size_t column = 0; column < shape.columns; column += product_depth) {
        const std::size_t left = shape.columns - column;
        const std::size_t depth = left < product_depth ? left : product_depth;
        const Real* factors = block + column * block_width;
        for (std::size_t row = 0; row < shape.rows;
             row += product_panel, panels += product_panel * depth)
            for (std::size_t lane = 0; lane < block_width; lane += wide)
                for (std::size_t r = 0; r < product_panel && row + r < shape.rows; r += tile_rows) {
                    const std::size_t start = (row + r) * block_width + lane;
                    const auto tile = [&](auto entry) {
                        product_tile<Real>(panels + r, depth, factors + lane, out + start,
                                           shape.rows - row - r, entry);
                    };
                    if (column == 0)
                        tile([&](Register<Real> sum, std::size_t at) {
                            return first(sum, start + at);
                        });
                    else
                        tile([&](Register<Real> sum, std::size_t at) {
                            return load_register(out + start + at) + sum;
                        });
                }
    }
}

/// out = A block
template <class Real>
void product(const ProductShape& shape, const Real* panels, const Real* block, Real* out) {
    product_of(shape, panels, block, out, [](Register<Real> sum, std::size_t) { return sum; });
}

/// x ← (y − x) + D y
template <class Real>
void product_move(const ProductShape& shape, const Real* panels, const Real* y, Real* x) {
    product_of(shape, panels, y, x, [&](Register<Real> sum, std::size_t at) {
        return (load_register(y + at) - load_register(x + at)) + sum;
    });
}

}  // namespace ktc::KTC_INSTRUCTION_SET
