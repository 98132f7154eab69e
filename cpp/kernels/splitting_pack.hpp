#pragma once

#include "kernels/kernels.hpp"
#include "kernels/pack.hpp"

/// Loops of the splitting integrator's sub-steps over a block of replicas (motion/substeps.hpp).
namespace ktc::KTC_INSTRUCTION_SET {

inline constexpr std::size_t packs = block_width / pack_width;

KTC_INLINE Doubles pull_of(const LineMove& line, std::size_t lane) {
    return line.pulls == nullptr ? all(line.pull) : load(line.pulls + lane);
}

inline void line_slope(const LineEntry* entries, std::size_t count, const double* state,
                       const LineMove& line, double* slope) {
    Doubles sum[packs];
    for (std::size_t p = 0; p < packs; ++p) sum[p] = all(-0.0) - pull_of(line, p * pack_width);
    for (std::size_t k = 0; k < count; ++k) {
        const double* w = state + entries[k].coordinate * block_width;
        for (std::size_t p = 0; p < packs; ++p)
            sum[p] = sum[p] + entries[k].value * load(w + p * pack_width);
    }
    for (std::size_t p = 0; p < packs; ++p) store(slope + p * pack_width, sum[p]);
}

inline void line_move(const LineEntry* entries, std::size_t count, double* state,
                      const LineMove& line, const double* displacement, const double* slope,
                      double* energy, double* supply) {
    for (std::size_t at = 0; at < block_width; at += pack_width) {
        const Doubles step = load(displacement + at), pull = pull_of(line, at);
        Doubles change = step * (load(slope + at) + 0.5 * line.curvature * step);
        for (std::size_t k = 0; k < count; ++k) {
            double* w = state + entries[k].coordinate * block_width + at;
            const Doubles before = load(w), after = before + entries[k].value * step;
            // after⁴ − before⁴ as a product, in which large powers do not cancel.
            if (entries[k].quartic != 0.0)
                change = change + 0.25 * entries[k].quartic * (after - before) * (after + before) *
                                      (after * after + before * before);
            store(w, after);
        }
        store(energy + at, load(energy + at) + change);
        store(supply + at, load(supply + at) + pull * step);
    }
}

inline void quartic_relax(const double* state, double stride, double rate, double* displacement) {
    for (std::size_t at = 0; at < block_width; at += pack_width) {
        const Doubles moved = load(displacement + at);
        const Doubles now = load(state + at) + stride * moved;
        const Doubles square = rate * now * now;  // 2gκd² t w² for t of half a step
        const Doubles root = square_root(1.0 + square);
        // now/root − now = −now square/(root (1 + root)), without cancellation.
        store(displacement + at, moved - now * square / (stride * root * (1.0 + root)));
    }
}

inline void bath_displace(const BathMove& bath, const double* noise, const double* slope,
                          double* displacement) {
    for (std::size_t at = 0; at < block_width; at += pack_width) {
        const Doubles moved = load(displacement + at);
        store(displacement + at,
              moved + (bath.width * load(noise + at) -
                       bath.reach * (load(slope + at) + bath.curvature * moved - bath.emf)));
    }
}

inline void bath_post(const BathMove& bath, const double* displacement, const double* energy,
                      const BathBooks& books) {
    for (std::size_t at = 0; at < block_width; at += pack_width) {
        const Doubles delivered = bath.emf * load(displacement + at);
        const Doubles heat = delivered - load(energy + at);
        const auto add = [at](double* account, Doubles amount) {
            store(account + at, load(account + at) + amount);
        };
        if (bath.emf != 0.0) add(books.source, delivered);
        add(books.heat, heat);
        add(books.entropy, heat * bath.per_kT);
        add(books.own, heat);
    }
}

}  // namespace ktc::KTC_INSTRUCTION_SET
