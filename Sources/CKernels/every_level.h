// Compiles one kernel source for every instruction set:
//
//     #define KERNEL_SOURCE "my_kernel.inc"
//     #include "every_level.h"
//
// The source is included once per level inside a `target` attribute, with
//   LEVEL(name)   name_avx512, name_avx2 or name_portable: use it for everything the source defines,
//   WIDTH         floats in one vector: 16, 8 or 4.
// A dispatcher then picks LEVEL by kernels_current_level(). No compiler flag is needed, so that the package
// can be a dependency, and no wide instruction can leak into code that old processors run.
//
// DISPATCH_LEVEL(level, name, arguments...) calls name_avx512, name_avx2 or name_portable.
#pragma clang fp contract(fast)
#if !defined(DISPATCH_LEVEL) && defined(__x86_64__)
#define DISPATCH_LEVEL(level, name, ...)                        \
    switch (level) {                                            \
    case KERNELS_AVX512: name##_avx512(__VA_ARGS__); break;     \
    case KERNELS_AVX2: name##_avx2(__VA_ARGS__); break;         \
    case KERNELS_PORTABLE: name##_portable(__VA_ARGS__); break; \
    }
#elif !defined(DISPATCH_LEVEL)
#define DISPATCH_LEVEL(level, name, ...) ((void)(level), name##_portable(__VA_ARGS__))
#endif
#define LEVEL_JOIN2(a, b) a##_##b
#define LEVEL_JOIN(a, b) LEVEL_JOIN2(a, b)
#define LEVEL(name) LEVEL_JOIN(name, LEVEL_SUFFIX)

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), apply_to = function)
#define LEVEL_SUFFIX avx512
#define WIDTH 16
#include KERNEL_SOURCE
#undef LEVEL_SUFFIX
#undef WIDTH
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define LEVEL_SUFFIX avx2
#define WIDTH 8
#include KERNEL_SOURCE
#undef LEVEL_SUFFIX
#undef WIDTH
#pragma clang attribute pop
#endif

#define LEVEL_SUFFIX portable
#define WIDTH 4
#include KERNEL_SOURCE
#undef LEVEL_SUFFIX
#undef WIDTH
#undef KERNEL_SOURCE
