#include "elementwise.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

#define KERNEL_SOURCE "elementwise_kernel.h"
#include "every_level.h"

void elementwise_normalise(enum kernels_level level, const float *x, float *y, long count,
                           struct elementwise_normalisation normalisation) {
    DISPATCH_LEVEL(level, normalise, x, y, count, normalisation);
}

void elementwise_centred_combine(enum kernels_level level, const float *g, const float *x, float *y, long count,
                                 float a, float b, float centre, float c) {
    DISPATCH_LEVEL(level, centred_combine, g, x, y, count, a, b, centre, c);
}

void elementwise_multiply(enum kernels_level level, const float *a, const float *b, float *y, long count) {
    DISPATCH_LEVEL(level, multiply, a, b, y, count);
}

float elementwise_maximum(enum kernels_level level, const float *x, long count) {
    float result = 0;
    DISPATCH_LEVEL(level, maximum, x, count, &result);
    return result;
}

void elementwise_interpolate(enum kernels_level level, const float *x, const int32_t *first, const int32_t *second,
                             const float *fraction, float *y, long count) {
    DISPATCH_LEVEL(level, interpolate, x, first, second, fraction, y, count);
}

void elementwise_interleave(enum kernels_level level, const float *x, long x_stride, int phases, float *y, long count) {
    DISPATCH_LEVEL(level, interleave, x, x_stride, phases, y, count);
}
