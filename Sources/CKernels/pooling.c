#include "pooling.h"

#include <stddef.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

static long smaller(long a, long b) { return a < b ? a : b; }

#define KERNEL_SOURCE "pooling_kernel.h"
#include "every_level.h"

void pooling_maxima(enum kernels_level level, const struct pooling_row *row, float *maxima,
                    int32_t *argmax) {
    DISPATCH_LEVEL(level, maxima, row, maxima, argmax);
}

void pooling_averages(enum kernels_level level, const struct pooling_row *row, const float *factors, float *averages) {
    DISPATCH_LEVEL(level, averages, row, factors, averages);
}

void pooling_averages_gradient(enum kernels_level level, const struct pooling_row *row, const float *factors,
                               const float *gradients, float *target) {
    DISPATCH_LEVEL(level, averages_gradient, row, factors, gradients, target);
}

void pooling_2x2x2_gradient(enum kernels_level level, const struct pooling_2x2x2_row *row, float *target) {
    DISPATCH_LEVEL(level, pooling_2x2x2_gradient, row, target);
}
