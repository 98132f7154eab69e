#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace ktc::benchmarks {

inline double seconds() {
    using Clock = std::chrono::steady_clock;
    return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

/// Times `body`, which does `amount` units of work a call, and prints its rate beside the goal.
/// The rate is that of the best of nine runs of at least 0.1 s: what disturbs a run only slows it.
/// The median shows how much it was disturbed. A goal is what one core with AVX-512 could do at
/// best: noise by vector instructions written by hand, which give 4.5e8 normals a second, products
/// at the full speed of BLAS. Missing it is room to improve, never an error.
template <class Body>
void measure(const char* name, const char* unit, double goal, double amount, Body&& body) {
    body();
    double start = seconds();
    body();
    const double once = std::max(seconds() - start, 1e-7);
    const int repeats = static_cast<int>(0.1 / once) + 1;
    std::array<double, 9> rates{};
    for (double& rate : rates) {
        start = seconds();
        for (int k = 0; k < repeats; ++k) body();
        rate = amount * repeats / (seconds() - start);
    }
    std::sort(rates.begin(), rates.end());
    std::printf("%-44s %9.3g %s (median %.3g), goal %.2g: %.2f of it\n", name, rates.back(), unit,
                rates[rates.size() / 2], goal, rates.back() / goal);
}

}  // namespace ktc::benchmarks
