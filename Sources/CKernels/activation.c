#include "activation.h"

#include <stdint.h>
#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#define KERNEL_SOURCE "activation_kernel.h"
#include "every_level.h"

void activation_apply(enum kernels_level level, struct activation f, const float *x, float *y, long count) {
    DISPATCH_LEVEL(level, apply, f, x, y, count);
}

void activation_gradient(enum kernels_level level, struct activation f, float *g, const float *x, long count) {
    DISPATCH_LEVEL(level, gradient, f, g, x, count);
}
