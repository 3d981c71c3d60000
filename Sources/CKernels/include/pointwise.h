// Loops over whole channels: statistics, normalisation, softmax.
#pragma once

#include "instruction_set.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The sum of x[i] - pivot and of its square; single precision inside blocks of 1024, double between them.
void pointwise_moments(enum kernels_level level, const float *x, long count, float pivot, double sums[2]);

// The sum of g[i] and of g[i] (x[i] - pivot), likewise.
void pointwise_products(enum kernels_level level, const float *g, const float *x, long count, float pivot,
                        double sums[2]);

// A ReLU after scale x + shift: the gate is open where that is greater than 0.
struct pointwise_gate {
    float scale, shift;
};

// y[i] = scale x[i] + shift where the gate is open, otherwise 0, and NaN where x[i] is; y may be x.
void pointwise_gated_affine(enum kernels_level level, const float *x, float *y, long count,
                            struct pointwise_gate gate);

// pointwise_products with g[i] = 0 where the gate, of x[i], is not open.
void pointwise_gated_products(enum kernels_level level, const float *g, const float *x, long count, float pivot,
                              struct pointwise_gate gate, double sums[2]);

// pointwise_combine with g[i] = 0 where the gate, of x[i], is not open.
void pointwise_gated_combine(enum kernels_level level, const float *g, const float *x, float *y, long count,
                             float a, float b, float c, struct pointwise_gate gate);

// y[i] = factor x[i] + offset; y may be x.
void pointwise_affine(enum kernels_level level, const float *x, float *y, long count, float factor,
                      float offset);

// y[i] = a g[i] + b x[i] + c; y may be g or x.
void pointwise_combine(enum kernels_level level, const float *g, const float *x, float *y, long count,
                       float a, float b, float c);

// x[i] = 0 where x[i] < 0; NaN stays.
void pointwise_relu(enum kernels_level level, float *x, long count);

// g[i] = 0 where output[i] is not greater than 0; returns the sum of the remaining values, in single precision inside
// blocks of 1024 and in double precision between them.
double pointwise_relu_gradient(enum kernels_level level, float *g, const float *output, long count);

// Replaces the logits of `count` voxels, whose channels are `stride` floats apart, by their softmax. Where
// `logarithms` is not NULL it receives the logarithm of each voxel's sum of exponentials.
void pointwise_softmax(enum kernels_level level, float *logits, int channels, long stride, long count,
                       float *logarithms);

// Replaces the logits of `count` voxels by the gradient of the sum of their cross-entropies, the softmax less the
// indicator of the label, times the weight of the label's class, and returns the sum itself. Labels that are not a
// class contribute 0.
double pointwise_cross_entropy(enum kernels_level level, float *logits, int channels, long stride, long count,
                               const uint8_t *labels, const float *weights);

// Replaces the logits of `count` voxels by the gradient of the sum of their focal losses, -(1 - p)^gamma log p of the
// label's probability p, times the weight of the label's class, and returns the sum itself. With gamma 0 this is
// pointwise_cross_entropy. Labels that are not a class contribute 0.
double pointwise_focal(enum kernels_level level, float *logits, int channels, long stride, long count,
                       const uint8_t *labels, const float *weights, float gamma);

// Sums of the probabilities of one class.
struct class_sums {
    double all;      // over all voxels
    double own;      // over the voxels of the class
    double squares;  // of the squares over all voxels
};

// The sums of one class's probabilities over the voxels whose label is not `ignored`; its own voxels have `label`. In
// single precision inside blocks of 1024 and in double precision between them.
struct class_sums pointwise_class_sums(enum kernels_level level, const float *probabilities, long count,
                                       const uint8_t *labels, int label, int ignored);

// The derivative of a loss with respect to the probability p of one class: inside + slope p for voxels of the class,
// outside + slope p for all others.
struct class_derivative {
    float inside, outside, slope;
};

// The backward pass of softmax: replaces the class probabilities p of `count` voxels, whose channels are `stride`
// floats apart, by the gradient with respect to the logits, p (s - sum of s p), for the derivative s of each class. The
// result is 0 where the label is `ignored`.
void pointwise_softmax_gradient(enum kernels_level level, float *probabilities, int channels, long stride, long count,
                                const uint8_t *labels, int ignored, const struct class_derivative *derivatives);

#ifdef __cplusplus
}
#endif
