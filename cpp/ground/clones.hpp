#pragma once

/// KTC_CLONES before a function compiles it once for each level of x86-64 and picks the best at
/// load time. Contraction is off and every operation is rounded as IEEE 754 says, so that all
/// copies give the same bits. Elsewhere it means nothing: the plain function is compiled.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
    __GNUC__ >= 12
#define KTC_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define KTC_CLONES
#endif

/// KTC_AS_VECTORS before a short loop keeps it one: GCC unrolls it otherwise before it looks for
/// vectors, and then finds half of them.
#if defined(__GNUC__) && !defined(__clang__)
#define KTC_AS_VECTORS _Pragma("GCC unroll 1")
#else
#define KTC_AS_VECTORS
#endif
