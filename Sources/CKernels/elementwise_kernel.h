// Included once per instruction set by elementwise.c through every_level.h; no include guard on purpose.

#include "vectors.h"
#define CHOOSE(mask, a, b) ((VECTOR)(((LANES)(a) & (mask)) | ((LANES)(b) & ~(mask))))

// `rectifies` is a constant: whether negative values are scaled.
ALWAYS_INLINE void LEVEL(normalise_through)(const float *x, float *y, long count, struct elementwise_normalisation n,
                                            const int rectifies) {
    long i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
        VECTOR value = (LOAD(x + i) - n.centre) * n.scale + n.shift;
        // A comparison that NaN fails leaves it as it is.
        if (rectifies) value = CHOOSE((LANES)(value < (VECTOR){0}), value * n.negative_slope, value);
        STORE(y + i, value);
    }
    for (; i < count; i++) {
        float value = (x[i] - n.centre) * n.scale + n.shift;
        y[i] = rectifies && value < 0 ? value * n.negative_slope : value;
    }
}

static void LEVEL(normalise)(const float *x, float *y, long count, struct elementwise_normalisation n) {
    if (n.negative_slope == 1) LEVEL(normalise_through)(x, y, count, n, 0);
    else LEVEL(normalise_through)(x, y, count, n, 1);
}

static void LEVEL(centred_combine)(const float *g, const float *x, float *y, long count, float a, float b,
                                   float centre, float c) {
    long i = 0;
    for (; i + WIDTH <= count; i += WIDTH) STORE(y + i, a * LOAD(g + i) + b * (LOAD(x + i) - centre) + c);
    for (; i < count; i++) y[i] = a * g[i] + b * (x[i] - centre) + c;
}

static void LEVEL(multiply)(const float *a, const float *b, float *y, long count) {
    long i = 0;
    for (; i + WIDTH <= count; i += WIDTH) STORE(y + i, LOAD(a + i) * LOAD(b + i));
    for (; i < count; i++) y[i] = a[i] * b[i];
}

static void LEVEL(maximum)(const float *x, long count, float *result) {
    float best = x[0];
    long i = 0;
    if (count >= WIDTH) {
        VECTOR lanes = LOAD(x);
        for (i = WIDTH; i + WIDTH <= count; i += WIDTH) {
            VECTOR value = LOAD(x + i);
            // NaN is taken and never left.
            LANES is_better = (LANES)(value > lanes) | (LANES)(value != value);
            lanes = CHOOSE(is_better & (LANES)(lanes == lanes), value, lanes);
        }
        best = lanes[0];
        UNROLL for (int lane = 1; lane < WIDTH; lane++)
            if (best == best && !(lanes[lane] <= best)) best = lanes[lane];
    }
    for (; i < count; i++)
        if (best == best && !(x[i] <= best)) best = x[i];
    *result = best;
}

static void LEVEL(interpolate)(const float *x, const int32_t *first, const int32_t *second, const float *fraction,
                               float *y, long count) {
    if (!fraction)
        for (long i = 0; i < count; i++) y[i] = x[first[i]];
    else
        for (long i = 0; i < count; i++) y[i] = (1 - fraction[i]) * x[first[i]] + fraction[i] * x[second[i]];
}

// `phases` is a constant after inlining, or any number.
ALWAYS_INLINE void LEVEL(interleave_phases)(const float *restrict x, long x_stride, const int phases, float *restrict y,
                                            long count) {
    for (long i = 0; i < count; i++)
        for (int phase = 0; phase < phases; phase++) y[i * phases + phase] = x[phase * x_stride + i];
}

static void LEVEL(interleave)(const float *x, long x_stride, int phases, float *y, long count) {
    switch (phases) {
    case 2: LEVEL(interleave_phases)(x, x_stride, 2, y, count); break;
    case 4: LEVEL(interleave_phases)(x, x_stride, 4, y, count); break;
    case 8: LEVEL(interleave_phases)(x, x_stride, 8, y, count); break;
    default: LEVEL(interleave_phases)(x, x_stride, phases, y, count);
    }
}

#undef CHOOSE
