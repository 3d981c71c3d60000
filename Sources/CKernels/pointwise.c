#include "pointwise.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

// Elements whose sum stays in single precision.
enum { SUM_BLOCK = 1024 };

static long smaller(long a, long b) { return a < b ? a : b; }

#define KERNEL_SOURCE "pointwise_kernel.h"
#include "every_level.h"

void pointwise_moments(enum kernels_level level, const float *x, long count, float pivot, double sums[2]) {
    DISPATCH_LEVEL(level, moments, x, count, pivot, sums);
}

void pointwise_products(enum kernels_level level, const float *g, const float *x, long count, float pivot,
                        double sums[2]) {
    DISPATCH_LEVEL(level, products, g, x, count, pivot, sums);
}

void pointwise_affine(enum kernels_level level, const float *x, float *y, long count, float factor,
                      float offset) {
    DISPATCH_LEVEL(level, combine, x, x, y, count, factor, 0, offset);
}

void pointwise_combine(enum kernels_level level, const float *g, const float *x, float *y, long count,
                       float a, float b, float c) {
    DISPATCH_LEVEL(level, combine, g, x, y, count, a, b, c);
}

void pointwise_gated_affine(enum kernels_level level, const float *x, float *y, long count,
                            struct pointwise_gate gate) {
    DISPATCH_LEVEL(level, gated_affine, x, y, count, gate);
}

void pointwise_gated_products(enum kernels_level level, const float *g, const float *x, long count, float pivot,
                              struct pointwise_gate gate, double sums[2]) {
    DISPATCH_LEVEL(level, gated_products, g, x, count, pivot, gate, sums);
}

void pointwise_gated_combine(enum kernels_level level, const float *g, const float *x, float *y, long count,
                             float a, float b, float c, struct pointwise_gate gate) {
    DISPATCH_LEVEL(level, gated_combine, g, x, y, count, a, b, c, gate);
}

void pointwise_relu(enum kernels_level level, float *x, long count) {
    DISPATCH_LEVEL(level, relu, x, count);
}

double pointwise_relu_gradient(enum kernels_level level, float *g, const float *output, long count) {
    double sum = 0;
    DISPATCH_LEVEL(level, relu_gradient, g, output, count, &sum);
    return sum;
}

void pointwise_softmax(enum kernels_level level, float *logits, int channels, long stride, long count,
                       float *logarithms) {
    DISPATCH_LEVEL(level, softmax, logits, channels, stride, count, logarithms);
}

double pointwise_cross_entropy(enum kernels_level level, float *logits, int channels, long stride, long count,
                               const uint8_t *labels, const float *weights) {
    double sum = 0;
    DISPATCH_LEVEL(level, cross_entropy, logits, channels, stride, count, labels, weights, &sum);
    return sum;
}

double pointwise_focal(enum kernels_level level, float *logits, int channels, long stride, long count,
                       const uint8_t *labels, const float *weights, float gamma) {
    double sum = 0;
    DISPATCH_LEVEL(level, focal, logits, channels, stride, count, labels, weights, gamma, &sum);
    return sum;
}

struct class_sums pointwise_class_sums(enum kernels_level level, const float *probabilities, long count,
                                       const uint8_t *labels, int label, int ignored) {
    struct class_sums sums;
    DISPATCH_LEVEL(level, class_sums, probabilities, count, labels, label, ignored, &sums);
    return sums;
}

void pointwise_softmax_gradient(enum kernels_level level, float *probabilities, int channels, long stride, long count,
                                const uint8_t *labels, int ignored, const struct class_derivative *derivatives) {
    DISPATCH_LEVEL(level, softmax_gradient, probabilities, channels, stride, count, labels, ignored, derivatives);
}
