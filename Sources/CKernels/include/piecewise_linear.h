// The function that kernels apply to results as they store them: x where it is not negative, else slope x; then `lower`
// where that is below it, and `upper` where it is above. NaN stays.
#pragma once

#include <math.h>
#include <stddef.h>

#include "instruction_set.h"

#ifdef __cplusplus
extern "C" {
#endif

struct piecewise_linear {
    const float *slopes;  // one for each channel of the results; NULL for 1
    float lower, upper;
};

// Whether the function is x itself.
static inline int piecewise_linear_is_identity(struct piecewise_linear f) {
    return f.slopes == NULL && f.lower == -INFINITY && f.upper == INFINITY;
}

// y[i] = f(x[i]), with the first slope; y may be x.
void piecewise_linear_apply(enum kernels_level level, struct piecewise_linear f, const float *x, float *y, long count);

// y[i] = f(y[i] + x[i]), with the first slope.
void piecewise_linear_apply_to_sum(enum kernels_level level, struct piecewise_linear f, const float *x, float *y,
                                   long count);

#ifdef __cplusplus
}
#endif
