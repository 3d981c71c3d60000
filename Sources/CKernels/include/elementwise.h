// Loops over the elements of one channel: normalisation by given statistics, products, maxima, interpolation, interleaving.
#pragma once

#include "instruction_set.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// z = (x - centre) scale + shift, and negative_slope z instead where z is negative: 1 for z itself, 0 for a ReLU.
struct elementwise_normalisation {
    float centre, scale, shift, negative_slope;
};

// y[i] is the normalisation of x[i], NaN where x[i] is; y may be x.
void elementwise_normalise(enum kernels_level level, const float *x, float *y, long count,
                           struct elementwise_normalisation normalisation);

// y[i] = a g[i] + b (x[i] - centre) + c; y may be g or x.
void elementwise_centred_combine(enum kernels_level level, const float *g, const float *x, float *y, long count,
                                 float a, float b, float centre, float c);

// y[i] = a[i] b[i]; y may be a or b.
void elementwise_multiply(enum kernels_level level, const float *a, const float *b, float *y, long count);

// The greatest of `count` > 0 elements, of which NaN is greatest.
float elementwise_maximum(enum kernels_level level, const float *x, long count);

// y[i] = (1 - fraction[i]) x[first[i]] + fraction[i] x[second[i]], or x[first[i]] where `fraction` is NULL.
void elementwise_interpolate(enum kernels_level level, const float *x, const int32_t *first, const int32_t *second,
                             const float *fraction, float *y, long count);

// y[i * phases + p] = x[p * x_stride + i] for p in 0 ..< phases, which is at least 1, and i in 0 ..< count.
void elementwise_interleave(enum kernels_level level, const float *x, long x_stride, int phases, float *y, long count);

#ifdef __cplusplus
}
#endif
