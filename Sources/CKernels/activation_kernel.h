// Included once per instruction set by activation.c through every_level.h; no include guard on purpose.

#include "vectors.h"
#include "elementary_functions.h"

// The argument of the hyperbolic tangent that approximates the normal distribution function, and its derivative.
ALWAYS_INLINE VECTOR LEVEL(gelu_argument)(VECTOR x) { return (x * x * 0.044715f + 1.0f) * x * 0.797884561f; }
ALWAYS_INLINE VECTOR LEVEL(gelu_slope)(VECTOR x) { return x * x * 0.107032220f + 0.797884561f; }

// x, or the nearest of -10 and 10, beyond which the approximation is 0 or 1, so that no power of x is infinite.
ALWAYS_INLINE VECTOR LEVEL(limited)(VECTOR x) {
    VECTOR limit = LEVEL(with_sign)((VECTOR){0} + 10.0f, x);
    return CHOOSE((LANES)(LEVEL(absolute)(x) > (VECTOR){0} + 10.0f), limit, x);
}

// f(x); `kind` is a constant after inlining.
ALWAYS_INLINE VECTOR LEVEL(value)(const enum activation_kind kind, VECTOR a, VECTOR b, VECTOR x) {
    const LANES is_negative = (LANES)(x < (VECTOR){0});
    switch (kind) {
    case ACTIVATION_LEAKY_RELU: return CHOOSE(is_negative, a * x, x);
    case ACTIVATION_ELU: {
        // A comparison that NaN fails leaves it as it is.
        VECTOR below = CHOOSE((LANES)(x > (VECTOR){0}), (VECTOR){0}, x);
        return CHOOSE(is_negative, a * LEVEL(exponential_less_one)(below), x);
    }
    case ACTIVATION_GELU: return 0.5f * x * (1.0f + LEVEL(error_function)(x * 0.707106781f));
    case ACTIVATION_GELU_TANH:
        return 0.5f * x * (1.0f + LEVEL(hyperbolic_tangent)(LEVEL(gelu_argument)(LEVEL(limited)(x))));
    case ACTIVATION_SILU: return x * LEVEL(logistic)(x);
    case ACTIVATION_SIGMOID: return LEVEL(logistic)(x);
    case ACTIVATION_TANH: return LEVEL(hyperbolic_tangent)(x);
    case ACTIVATION_CLIP: {
        VECTOR y = CHOOSE((LANES)(x < a), a, x);
        return CHOOSE((LANES)(y > b), b, y);
    }
    case ACTIVATION_SOFTPLUS: {
        VECTOR e = LEVEL(exponential)(-LEVEL(absolute)(x)), sum = 1.0f + e;
        return CHOOSE(is_negative, (VECTOR){0}, x) + LEVEL(logarithm)(sum);
    }
    }
    return x;
}

// f'(x); `kind` is a constant after inlining.
ALWAYS_INLINE VECTOR LEVEL(slope)(const enum activation_kind kind, VECTOR a, VECTOR b, VECTOR x) {
    const VECTOR one = (VECTOR){0} + 1.0f;
    const LANES is_positive = (LANES)(x > (VECTOR){0});
    switch (kind) {
    case ACTIVATION_LEAKY_RELU: return CHOOSE(is_positive, one, a);
    case ACTIVATION_ELU: return CHOOSE(is_positive, one, a * LEVEL(exponential)(CHOOSE(is_positive, (VECTOR){0}, x)));
    case ACTIVATION_GELU: {
        VECTOR limited = LEVEL(limited)(x);
        VECTOR density = 0.398942280f * LEVEL(exponential)(-0.5f * limited * limited);
        return 0.5f * (1.0f + LEVEL(error_function)(x * 0.707106781f)) + limited * density;
    }
    case ACTIVATION_GELU_TANH: {
        VECTOR limited = LEVEL(limited)(x), argument = LEVEL(gelu_argument)(limited);
        return 0.5f * (1.0f + LEVEL(hyperbolic_tangent)(argument)) +
               0.5f * limited * LEVEL(squared_secant)(argument) * LEVEL(gelu_slope)(limited);
    }
    case ACTIVATION_SILU: {
        VECTOR s = LEVEL(logistic)(x);
        return s + x * s * (1.0f - s);
    }
    case ACTIVATION_SIGMOID: {
        VECTOR s = LEVEL(logistic)(x);
        return s * (1.0f - s);
    }
    case ACTIVATION_TANH: return LEVEL(squared_secant)(x);
    case ACTIVATION_CLIP: return CHOOSE((LANES)(x > a) & (LANES)(x < b), one, (VECTOR){0});
    case ACTIVATION_SOFTPLUS: return LEVEL(logistic)(x);
    }
    return one;
}

// The last elements go through a whole vector, so that their results are those of the same kernel.
ALWAYS_INLINE void LEVEL(apply_kind)(const enum activation_kind kind, struct activation f, const float *x, float *y,
                                     long count) {
    const VECTOR a = (VECTOR){0} + f.a, b = (VECTOR){0} + f.b;
    long i = 0;
    for (; i + WIDTH <= count; i += WIDTH) STORE(y + i, LEVEL(value)(kind, a, b, LOAD(x + i)));
    if (i == count) return;
    VECTOR rest = {0};
    memcpy(&rest, x + i, (size_t)(count - i) * sizeof *x);
    rest = LEVEL(value)(kind, a, b, rest);
    memcpy(y + i, &rest, (size_t)(count - i) * sizeof *y);
}

ALWAYS_INLINE void LEVEL(gradient_kind)(const enum activation_kind kind, struct activation f, float *g, const float *x,
                                        long count) {
    const VECTOR a = (VECTOR){0} + f.a, b = (VECTOR){0} + f.b;
    long i = 0;
    for (; i + WIDTH <= count; i += WIDTH) STORE(g + i, LOAD(g + i) * LEVEL(slope)(kind, a, b, LOAD(x + i)));
    if (i == count) return;
    VECTOR rest = {0}, gradients = {0};
    memcpy(&rest, x + i, (size_t)(count - i) * sizeof *x);
    memcpy(&gradients, g + i, (size_t)(count - i) * sizeof *g);
    gradients *= LEVEL(slope)(kind, a, b, rest);
    memcpy(g + i, &gradients, (size_t)(count - i) * sizeof *g);
}

// Calls `loop` with the kind as a constant.
#define EVERY_KIND(loop, ...)                                                           \
    switch (f.kind) {                                                                   \
    case ACTIVATION_LEAKY_RELU: loop(ACTIVATION_LEAKY_RELU, f, __VA_ARGS__); break;     \
    case ACTIVATION_ELU: loop(ACTIVATION_ELU, f, __VA_ARGS__); break;                   \
    case ACTIVATION_GELU: loop(ACTIVATION_GELU, f, __VA_ARGS__); break;                 \
    case ACTIVATION_GELU_TANH: loop(ACTIVATION_GELU_TANH, f, __VA_ARGS__); break;       \
    case ACTIVATION_SILU: loop(ACTIVATION_SILU, f, __VA_ARGS__); break;                 \
    case ACTIVATION_SIGMOID: loop(ACTIVATION_SIGMOID, f, __VA_ARGS__); break;           \
    case ACTIVATION_TANH: loop(ACTIVATION_TANH, f, __VA_ARGS__); break;                 \
    case ACTIVATION_CLIP: loop(ACTIVATION_CLIP, f, __VA_ARGS__); break;                 \
    case ACTIVATION_SOFTPLUS: loop(ACTIVATION_SOFTPLUS, f, __VA_ARGS__); break;         \
    }

static void LEVEL(apply)(struct activation f, const float *x, float *y, long count) {
    EVERY_KIND(LEVEL(apply_kind), x, y, count)
}

static void LEVEL(gradient)(struct activation f, float *g, const float *x, long count) {
    EVERY_KIND(LEVEL(gradient_kind), g, x, count)
}

#undef EVERY_KIND
