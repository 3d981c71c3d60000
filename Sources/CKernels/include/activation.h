// Element-wise functions of networks and their derivatives.
#pragma once

#include "instruction_set.h"

#ifdef __cplusplus
extern "C" {
#endif

enum activation_kind {
    ACTIVATION_LEAKY_RELU,  // x where x >= 0, else a x
    ACTIVATION_ELU,         // x where x >= 0, else a (exp(x) - 1)
    ACTIVATION_GELU,        // x times the standard normal distribution function of x
    ACTIVATION_GELU_TANH,   // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
    ACTIVATION_SILU,        // x / (1 + exp(-x))
    ACTIVATION_SIGMOID,     // 1 / (1 + exp(-x))
    ACTIVATION_TANH,        // tanh(x)
    ACTIVATION_CLIP,        // x, but a where x < a, and b where x > b
    ACTIVATION_SOFTPLUS     // log(1 + exp(x))
};

struct activation {
    enum activation_kind kind;
    float a, b;
};

// y[i] = f(x[i]) within 5e-7 of the greater of |f| and 1, and for GELU, SiLU and ELU of |x|; NaN stays. y may be x. An
// element's result does not depend on its position.
void activation_apply(enum kernels_level level, struct activation f, const float *x, float *y, long count);

// g[i] = g[i] f'(x[i]), f' within 1e-6. At the corners of the first two and of the clip f' is that of the flatter or
// negative side.
void activation_gradient(enum kernels_level level, struct activation f, float *g, const float *x, long count);

#ifdef __cplusplus
}
#endif
