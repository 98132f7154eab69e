// Written by tools/normal_series.py, which derives it. Do not edit.
#pragma once

namespace ktc {

/// Logarithm, sine and cosine of kernels/normal_pack.hpp.
template <class Real>
struct NormalSeries;

template <>
struct NormalSeries<double> {
    /// 1/m of sixteen intervals of mantissas m.
    static constexpr double reciprocal[16] = {
        0x1.f080000000000p-1, 0x1.d420000000000p-1, 0x1.bac0000000000p-1, 0x1.a420000000000p-1,
        0x1.8fa0000000000p-1, 0x1.7d00000000000p-1, 0x1.6c20000000000p-1, 0x1.5ca0000000000p-1,
        0x1.4e60000000000p-1, 0x1.4140000000000p-1, 0x1.3520000000000p-1, 0x1.29e0000000000p-1,
        0x1.1f80000000000p-1, 0x1.15c0000000000p-1, 0x1.0ca0000000000p-1, 0x1.0000000000000p-1};
    /// 2 ln 2r of these r; exactly 0 in the last.
    static constexpr double offset[16] = {
        0x1.5326e264678adp+0, 0x1.35058ad798caap+0, 0x1.187ce3be21e46p+0, 0x1.fb438adf24c17p-1,
        0x1.c8099c67d5616p-1, 0x1.972a341135158p-1, 0x1.68c68395480f6p-1, 0x1.3c3b2736b3f61p-1,
        0x1.117ee81dfe4c4p-1, 0x1.d0fb7f2255e51p-2, 0x1.8230164c1a332p-2, 0x1.3643cad0588f1p-2,
        0x1.db5270187d927p-3, 0x1.4e01108a35ae6p-3, 0x1.8a5a9cc614ca4p-4, 0x0.0p+0};
    /// −2 ln 2.
    static constexpr double minus_two_ln_2 = -0x1.62e42fefa39efp+0;
    /// −2 ln(1 + f)/f in f, off by at most 1.9e-17 of it.
    static constexpr double logarithm[9] = {
        -0x1.0000000000000p+1, 0x1.ffffffffffff5p-1,  -0x1.55555555553ebp-1,
        0x1.000000005d7afp-1,  -0x1.999999a15b37bp-2, 0x1.55554648b98c5p-2,
        -0x1.2491f5488b464p-2, 0x1.00634de01ef51p-2,  -0x1.c952e48832676p-3};
    /// sin(½πy)/y in y², off by at most 3.5e-18 of it.
    static constexpr double sine[7] = {
        0x1.921fb54442d18p+0,  -0x1.4abbce625be41p-1,  0x1.466bc677587f8p-4, -0x1.32d2cce2e5b19p-8,
        0x1.50782fda12d96p-13, -0x1.e30071afc3e59p-19, 0x1.e3f38399551bfp-25};
    /// cos(½πy) in y², off by at most 6.5e-17 of it.
    static constexpr double cosine[7] = {
        0x1.0000000000000p+0,  -0x1.3bd3cc9be458bp+0,  0x1.03c1f081b0780p-2, -0x1.55d3c7dbfd139p-6,
        0x1.e1f4fb60281f6p-11, -0x1.a6c9c1be9eb49p-16, 0x1.f3dbcea61b1a4p-22};
};

template <>
struct NormalSeries<float> {
    /// 1/m of sixteen intervals of mantissas m.
    static constexpr float reciprocal[16] = {
        0x1.f080000000000p-1f, 0x1.d420000000000p-1f, 0x1.bac0000000000p-1f, 0x1.a420000000000p-1f,
        0x1.8fa0000000000p-1f, 0x1.7d00000000000p-1f, 0x1.6c20000000000p-1f, 0x1.5ca0000000000p-1f,
        0x1.4e60000000000p-1f, 0x1.4140000000000p-1f, 0x1.3520000000000p-1f, 0x1.29e0000000000p-1f,
        0x1.1f80000000000p-1f, 0x1.15c0000000000p-1f, 0x1.0ca0000000000p-1f, 0x1.0000000000000p-1f};
    /// 2 ln 2r of these r; exactly 0 in the last.
    static constexpr float offset[16] = {
        0x1.5326e20000000p+0f, 0x1.35058a0000000p+0f, 0x1.187ce40000000p+0f, 0x1.fb438a0000000p-1f,
        0x1.c8099c0000000p-1f, 0x1.972a340000000p-1f, 0x1.68c6840000000p-1f, 0x1.3c3b280000000p-1f,
        0x1.117ee80000000p-1f, 0x1.d0fb800000000p-2f, 0x1.8230160000000p-2f, 0x1.3643ca0000000p-2f,
        0x1.db52700000000p-3f, 0x1.4e01100000000p-3f, 0x1.8a5a9c0000000p-4f, 0x0.0p+0f};
    /// −2 ln 2.
    static constexpr float minus_two_ln_2 = -0x1.62e4300000000p+0f;
    /// −2 ln(1 + f)/f in f, off by at most 4.5e-8 of it.
    static constexpr float logarithm[4] = {-0x1.0000000000000p+1f, 0x1.fffffc0000000p-1f,
                                           -0x1.557aa20000000p-1f, 0x1.0067340000000p-1f};
    /// sin(½πy)/y in y², off by at most 3.4e-9 of it.
    static constexpr float sine[4] = {0x1.921fb60000000p+0f, -0x1.4abbba0000000p-1f,
                                      0x1.465ec40000000p-4f, -0x1.2d9b400000000p-8f};
    /// cos(½πy) in y², off by at most 3.7e-8 of it.
    static constexpr float cosine[4] = {0x1.0000000000000p+0f, -0x1.3bd3920000000p+0f,
                                        0x1.03af580000000p-2f, -0x1.4e5e060000000p-6f};
};

}  // namespace ktc
