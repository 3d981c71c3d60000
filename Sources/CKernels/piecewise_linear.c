#include "piecewise_linear.h"

#include <string.h>

#define KERNEL_SOURCE "piecewise_linear_kernel.h"
#include "every_level.h"

void piecewise_linear_apply(enum kernels_level level, struct piecewise_linear f, const float *x, float *y, long count) {
    DISPATCH_LEVEL(level, apply, f, x, y, count, 0);
}

void piecewise_linear_apply_to_sum(enum kernels_level level, struct piecewise_linear f, const float *x, float *y,
                                   long count) {
    DISPATCH_LEVEL(level, apply, f, x, y, count, 1);
}
