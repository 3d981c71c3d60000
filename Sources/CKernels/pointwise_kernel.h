// Included once per instruction set by pointwise.c through every_level.h; no include guard on purpose.

#include "vectors.h"
typedef int LEVEL(loose_lanes) __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
typedef unsigned char LEVEL(label_bytes) __attribute__((vector_size(WIDTH)));
#define CHOOSE(mask, a, b) ((VECTOR)(((LANES)(a) & (mask)) | ((LANES)(b) & ~(mask))))

ALWAYS_INLINE double LEVEL(total)(VECTOR a, VECTOR b) {
    a += b;
    double sum = 0;
    UNROLL for (int lane = 0; lane < WIDTH; lane++) sum += a[lane];
    return sum;
}

static void LEVEL(moments)(const float *x, long count, float pivot, double sums[2]) {
    sums[0] = sums[1] = 0;
    for (long start = 0; start < count; start += SUM_BLOCK) {
        long end = smaller(start + SUM_BLOCK, count), i = start;
        VECTOR s0 = {0}, s1 = {0}, q0 = {0}, q1 = {0};
        for (; i + 2 * WIDTH <= end; i += 2 * WIDTH) {
            VECTOR a = LOAD(x + i) - pivot, b = LOAD(x + i + WIDTH) - pivot;
            s0 += a;
            s1 += b;
            q0 += a * a;
            q1 += b * b;
        }
        sums[0] += LEVEL(total)(s0, s1);
        sums[1] += LEVEL(total)(q0, q1);
        for (; i < end; i++) {
            double value = (double)x[i] - pivot;
            sums[0] += value;
            sums[1] += value * value;
        }
    }
}

// g where scale x + shift > 0; all of g without a gate, which is a constant.
ALWAYS_INLINE VECTOR LEVEL(passed)(VECTOR g, VECTOR x, const struct pointwise_gate *gate) {
    return gate ? CHOOSE((LANES)(x * gate->scale + gate->shift > (VECTOR){0}), g, (VECTOR){0}) : g;
}
ALWAYS_INLINE float LEVEL(passed_one)(float g, float x, const struct pointwise_gate *gate) {
    return !gate || x * gate->scale + gate->shift > 0 ? g : 0;
}

ALWAYS_INLINE void LEVEL(products_through)(const float *g, const float *x, long count, float pivot,
                                           const struct pointwise_gate *gate, double sums[2]) {
    sums[0] = sums[1] = 0;
    for (long start = 0; start < count; start += SUM_BLOCK) {
        long end = smaller(start + SUM_BLOCK, count), i = start;
        VECTOR s0 = {0}, s1 = {0}, q0 = {0}, q1 = {0};
        for (; i + 2 * WIDTH <= end; i += 2 * WIDTH) {
            VECTOR x0 = LOAD(x + i), x1 = LOAD(x + i + WIDTH);
            VECTOR a = LEVEL(passed)(LOAD(g + i), x0, gate), b = LEVEL(passed)(LOAD(g + i + WIDTH), x1, gate);
            s0 += a;
            s1 += b;
            q0 += a * (x0 - pivot);
            q1 += b * (x1 - pivot);
        }
        sums[0] += LEVEL(total)(s0, s1);
        sums[1] += LEVEL(total)(q0, q1);
        for (; i < end; i++) {
            double value = LEVEL(passed_one)(g[i], x[i], gate);
            sums[0] += value;
            sums[1] += value * ((double)x[i] - pivot);
        }
    }
}

static void LEVEL(products)(const float *g, const float *x, long count, float pivot, double sums[2]) {
    LEVEL(products_through)(g, x, count, pivot, NULL, sums);
}

static void LEVEL(gated_products)(const float *g, const float *x, long count, float pivot,
                                  struct pointwise_gate gate, double sums[2]) {
    LEVEL(products_through)(g, x, count, pivot, &gate, sums);
}

static void LEVEL(combine)(const float *g, const float *x, float *y, long count, float a, float b, float c) {
    long i = 0;
    if (b == 0)
        for (; i + WIDTH <= count; i += WIDTH) STORE(y + i, a * LOAD(g + i) + c);
    else
        for (; i + WIDTH <= count; i += WIDTH) STORE(y + i, a * LOAD(g + i) + b * LOAD(x + i) + c);
    for (; i < count; i++) y[i] = b == 0 ? a * g[i] + c : a * g[i] + b * x[i] + c;
}

static void LEVEL(gated_combine)(const float *g, const float *x, float *y, long count, float a, float b, float c,
                                 struct pointwise_gate gate) {
    long i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
        VECTOR value = LOAD(x + i);
        STORE(y + i, a * LEVEL(passed)(LOAD(g + i), value, &gate) + b * value + c);
    }
    for (; i < count; i++) y[i] = a * LEVEL(passed_one)(g[i], x[i], &gate) + b * x[i] + c;
}

static void LEVEL(gated_affine)(const float *x, float *y, long count, struct pointwise_gate gate) {
    long i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
        VECTOR value = LOAD(x + i) * gate.scale + gate.shift;
        // A comparison that NaN fails leaves it as it is.
        STORE(y + i, CHOOSE((LANES)(value <= (VECTOR){0}), (VECTOR){0}, value));
    }
    for (; i < count; i++) {
        float value = x[i] * gate.scale + gate.shift;
        y[i] = value <= 0 ? 0 : value;
    }
}

static void LEVEL(relu)(float *x, long count) {
    long i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
        VECTOR value = LOAD(x + i);
        STORE(x + i, CHOOSE((LANES)(value < (VECTOR){0}), (VECTOR){0}, value));
    }
    for (; i < count; i++) x[i] = x[i] < 0 ? 0 : x[i];
}

static void LEVEL(relu_gradient)(float *g, const float *output, long count, double *sum) {
    for (long start = 0; start < count; start += SUM_BLOCK) {
        long end = smaller(start + SUM_BLOCK, count), i = start;
        VECTOR s0 = {0}, s1 = {0};
        for (; i + 2 * WIDTH <= end; i += 2 * WIDTH) {
            VECTOR a = CHOOSE((LANES)(LOAD(output + i) > (VECTOR){0}), LOAD(g + i), (VECTOR){0});
            VECTOR b = CHOOSE((LANES)(LOAD(output + i + WIDTH) > (VECTOR){0}), LOAD(g + i + WIDTH), (VECTOR){0});
            STORE(g + i, a);
            STORE(g + i + WIDTH, b);
            s0 += a;
            s1 += b;
        }
        *sum += LEVEL(total)(s0, s1);
        for (; i < end; i++) *sum += g[i] = output[i] > 0 ? g[i] : 0;
    }
}

// exp(x) for x <= 0 within 2 units in the last place: 2^n times a polynomial on
// |r| <= ln(2) / 2. Coefficients as in the Cephes library.
ALWAYS_INLINE VECTOR LEVEL(exponential)(VECTOR x) {
    const VECTOR lowest = (VECTOR){0} - 87.0f;
    // A comparison that NaN fails leaves it as it is.
    x = CHOOSE((LANES)(x < lowest), lowest, x);
    // Adding 1.5 * 2^23 rounds to the nearest integer in the low bits.
    const float shift = 12582912.0f;
    VECTOR shifted = x * 1.44269504f + shift;
    VECTOR n = shifted - shift;
    VECTOR r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    VECTOR p = (VECTOR){0} + 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    LANES exponent = ((LANES)shifted << 23) + 0x3F800000;
    return p * (VECTOR)exponent;
}

// log(x) for normal x > 0 within 2 units in the last place: the exponent, and a polynomial around 1 on
// sqrt(1/2) ... sqrt(2). Coefficients as in the Cephes library.
ALWAYS_INLINE VECTOR LEVEL(logarithm)(VECTOR x) {
    LANES bits = (LANES)x;
    LANES exponent = (bits - 0x3F3504F3) >> 23;
    VECTOR e = __builtin_convertvector(exponent, VECTOR);
    x = (VECTOR)(bits - (exponent << 23)) - 1.0f;
    VECTOR p = (VECTOR){0} + 7.0376836292e-2f;
    p = p * x - 1.1514610310e-1f;
    p = p * x + 1.1676998740e-1f;
    p = p * x - 1.2420140846e-1f;
    p = p * x + 1.4249322787e-1f;
    p = p * x - 1.6668057665e-1f;
    p = p * x + 2.0000714765e-1f;
    p = p * x - 2.4999993993e-1f;
    p = p * x + 3.3333331174e-1f;
    VECTOR square = x * x;
    return x + (p * x * square - e * 2.12194440e-4f - 0.5f * square) + e * 0.693359375f;
}

static void LEVEL(softmax)(float *logits, int channels, long stride, long count, float *logarithms) {
    long i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
        VECTOR highest = LOAD(logits + i), sum = {0};
        for (int c = 1; c < channels; c++) {
            VECTOR value = LOAD(logits + c * stride + i);
            highest = CHOOSE((LANES)(value > highest), value, highest);
        }
        for (int c = 0; c < channels; c++) {
            VECTOR value = LEVEL(exponential)(LOAD(logits + c * stride + i) - highest);
            STORE(logits + c * stride + i, value);
            sum += value;
        }
        VECTOR inverse = 1.0f / sum;
        for (int c = 0; c < channels; c++)
            STORE(logits + c * stride + i, LOAD(logits + c * stride + i) * inverse);
        if (logarithms != NULL) STORE(logarithms + i, highest + LEVEL(logarithm)(sum));
    }
    for (; i < count; i++) {
        float highest = logits[i], sum = 0;
        for (int c = 1; c < channels; c++)
            if (logits[c * stride + i] > highest) highest = logits[c * stride + i];
        for (int c = 0; c < channels; c++) sum += logits[c * stride + i] = expf(logits[c * stride + i] - highest);
        for (int c = 0; c < channels; c++) logits[c * stride + i] /= sum;
        if (logarithms != NULL) logarithms[i] = highest + logf(sum);
    }
}

ALWAYS_INLINE LANES LEVEL(labels_at)(const uint8_t *labels) {
    LEVEL(label_bytes) bytes;
    memcpy(&bytes, labels, WIDTH);
    return __builtin_convertvector(bytes, LANES);
}

// The cross-entropies of voxels with two classes, whose logits are replaced by gradients: one exponential gives both
// probabilities, and the two gradients are opposite.
ALWAYS_INLINE VECTOR LEVEL(two_classes)(float *first, float *second, LANES label, const float *weights) {
    const LANES sign = (LANES){0} + INT32_MIN;
    LANES is_second = (LANES)(label == 1);
    VECTOR weight = CHOOSE(is_second, (VECTOR){0} + weights[1], (VECTOR){0} + weights[0]);
    weight = CHOOSE((LANES)((label >> 1) == 0), weight, (VECTOR){0});
    // The logit of the other class minus that of the own class.
    VECTOR lead = LOAD(second) - LOAD(first);
    lead = (VECTOR)((LANES)lead ^ (sign & is_second));
    VECTOR lesser = LEVEL(exponential)((VECTOR)((LANES)lead | sign)), sum = 1.0f + lesser;
    LANES leads = (LANES)(lead > (VECTOR){0});
    VECTOR others = weight * (CHOOSE(leads, (VECTOR){0} + 1.0f, lesser) / sum);
    STORE(first, (VECTOR)((LANES)others ^ (sign & ~is_second)));
    STORE(second, (VECTOR)((LANES)others ^ (sign & is_second)));
    // The terms of ignored voxels may be infinite.
    VECTOR term = weight * (CHOOSE(leads, lead, (VECTOR){0}) + LEVEL(logarithm)(sum));
    return CHOOSE((LANES)(weight != (VECTOR){0}), term, (VECTOR){0});
}

static void LEVEL(cross_entropy)(float *logits, int channels, long stride, long count, const uint8_t *labels,
                                 const float *weights, double *result) {
    for (long start = 0; start < count; start += SUM_BLOCK) {
        long end = smaller(start + SUM_BLOCK, count), i = start;
        VECTOR loss = {0};
        if (channels == 2)
            for (; i + WIDTH <= end; i += WIDTH)
                loss += LEVEL(two_classes)(logits + i, logits + stride + i, LEVEL(labels_at)(labels + i), weights);
        for (; i + WIDTH <= end; i += WIDTH) {
            LANES label = LEVEL(labels_at)(labels + i);
            VECTOR highest = LOAD(logits + i), own = {0}, weight = {0}, sum = {0};
            for (int c = 0; c < channels; c++) {
                VECTOR value = LOAD(logits + c * stride + i);
                LANES is_own = (LANES)(label == c);
                highest = CHOOSE((LANES)(value > highest), value, highest);
                own = CHOOSE(is_own, value, own);
                weight = CHOOSE(is_own, (VECTOR){0} + weights[c], weight);
            }
            for (int c = 0; c < channels; c++) {
                VECTOR value = LEVEL(exponential)(LOAD(logits + c * stride + i) - highest);
                STORE(logits + c * stride + i, value);
                sum += value;
            }
            VECTOR factor = weight / sum;
            for (int c = 0; c < channels; c++) {
                VECTOR target = CHOOSE((LANES)(label == c), weight, (VECTOR){0});
                STORE(logits + c * stride + i, LOAD(logits + c * stride + i) * factor - target);
            }
            // The terms of ignored voxels may be infinite.
            VECTOR term = weight * (highest + LEVEL(logarithm)(sum) - own);
            loss += CHOOSE((LANES)(weight != (VECTOR){0}), term, (VECTOR){0});
        }
        *result += LEVEL(total)(loss, (VECTOR){0});
        for (; i < end; i++) {
            float highest = logits[i], sum = 0;
            int label = labels[i];
            float weight = label < channels ? weights[label] : 0;
            for (int c = 1; c < channels; c++)
                if (logits[c * stride + i] > highest) highest = logits[c * stride + i];
            float own = label < channels ? logits[label * stride + i] : 0;
            for (int c = 0; c < channels; c++) sum += logits[c * stride + i] = expf(logits[c * stride + i] - highest);
            for (int c = 0; c < channels; c++)
                logits[c * stride + i] = logits[c * stride + i] * (weight / sum) - (c == label ? weight : 0);
            if (weight != 0) *result += (double)weight * (highest + logf(sum) - own);
        }
    }
}

// The focal loss of voxels and its gradient; see pointwise_focal. q is the probability of all other classes together,
// which is exact where that of the own class is nearly 1.
static void LEVEL(focal)(float *logits, int channels, long stride, long count, const uint8_t *labels,
                         const float *weights, float gamma, double *result) {
    for (long start = 0; start < count; start += SUM_BLOCK) {
        long end = smaller(start + SUM_BLOCK, count), i = start;
        VECTOR loss = {0};
        for (; i + WIDTH <= end; i += WIDTH) {
            LANES label = LEVEL(labels_at)(labels + i);
            VECTOR highest = LOAD(logits + i), own = {0}, weight = {0}, others = {0};
            for (int c = 0; c < channels; c++) {
                VECTOR value = LOAD(logits + c * stride + i);
                LANES is_own = (LANES)(label == c);
                highest = CHOOSE((LANES)(value > highest), value, highest);
                own = CHOOSE(is_own, value, own);
                weight = CHOOSE(is_own, (VECTOR){0} + weights[c], weight);
            }
            for (int c = 0; c < channels; c++) {
                VECTOR value = LEVEL(exponential)(LOAD(logits + c * stride + i) - highest);
                STORE(logits + c * stride + i, value);
                others += CHOOSE((LANES)(label == c), (VECTOR){0}, value);
            }
            // Voxels that do not count may have any label.
            LANES counts = (LANES)(weight != (VECTOR){0});
            VECTOR lead = CHOOSE(counts, own - highest, (VECTOR){0}), lesser = LEVEL(exponential)(lead);
            VECTOR sum = lesser + others, inverse = 1.0f / sum, q = others * inverse;
            // The logarithm of 1 - q, by its series where q is small.
            VECTOR series = -q * (1.0f + q * (0.5f + q * (1.0f / 3)));
            VECTOR logarithm = CHOOSE((LANES)(q < (VECTOR){0} + 1e-3f), series, lead - LEVEL(logarithm)(sum));
            const VECTOR least = (VECTOR){0} + FLT_MIN;
            VECTOR positive = CHOOSE((LANES)(q < least), least, q);
            VECTOR power = weight * LEVEL(exponential)(gamma * LEVEL(logarithm)(positive));
            VECTOR factor = power * (1.0f - gamma * (lesser * inverse) * (logarithm / positive));
            for (int c = 0; c < channels; c++) {
                VECTOR probability = LOAD(logits + c * stride + i) * inverse;
                // p - 1 of the own class is -q.
                VECTOR value = factor * CHOOSE((LANES)(label == c), -q, probability);
                STORE(logits + c * stride + i, CHOOSE(counts, value, (VECTOR){0}));
            }
            loss -= CHOOSE(counts, power * logarithm, (VECTOR){0});
        }
        *result += LEVEL(total)(loss, (VECTOR){0});
        for (; i < end; i++) {
            int label = labels[i];
            float weight = label < channels ? weights[label] : 0;
            if (weight == 0) {
                for (int c = 0; c < channels; c++) logits[c * stride + i] = 0;
                continue;
            }
            float highest = logits[i], others = 0;
            for (int c = 1; c < channels; c++)
                if (logits[c * stride + i] > highest) highest = logits[c * stride + i];
            float lead = logits[label * stride + i] - highest, lesser = expf(lead);
            for (int c = 0; c < channels; c++) {
                float value = logits[c * stride + i] = expf(logits[c * stride + i] - highest);
                if (c != label) others += value;
            }
            float sum = lesser + others, q = others / sum, logarithm = q < 1e-3f ? log1pf(-q) : lead - logf(sum);
            float positive = q < FLT_MIN ? FLT_MIN : q, power = weight * powf(positive, gamma);
            float factor = power * (1 - gamma * (lesser / sum) * (logarithm / positive));
            for (int c = 0; c < channels; c++)
                logits[c * stride + i] = factor * (c == label ? -q : logits[c * stride + i] / sum);
            *result -= (double)power * logarithm;
        }
    }
}

static void LEVEL(class_sums)(const float *probabilities, long count, const uint8_t *labels, int class, int ignored,
                              struct class_sums *sums) {
    *sums = (struct class_sums){0, 0, 0};
    for (long start = 0; start < count; start += SUM_BLOCK) {
        long end = smaller(start + SUM_BLOCK, count), i = start;
        VECTOR all = {0}, own = {0}, squares = {0};
        for (; i + WIDTH <= end; i += WIDTH) {
            LANES label = LEVEL(labels_at)(labels + i);
            VECTOR value = CHOOSE((LANES)(label != ignored), LOAD(probabilities + i), (VECTOR){0});
            all += value;
            own += CHOOSE((LANES)(label == class), value, (VECTOR){0});
            squares += value * value;
        }
        sums->all += LEVEL(total)(all, (VECTOR){0});
        sums->own += LEVEL(total)(own, (VECTOR){0});
        sums->squares += LEVEL(total)(squares, (VECTOR){0});
        for (; i < end; i++) {
            if (labels[i] == ignored) continue;
            sums->all += probabilities[i];
            if (labels[i] == class) sums->own += probabilities[i];
            sums->squares += (double)probabilities[i] * probabilities[i];
        }
    }
}

static void LEVEL(softmax_gradient)(float *probabilities, int channels, long stride, long count, const uint8_t *labels,
                                    int ignored, const struct class_derivative *derivatives) {
    long i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
        LANES label = LEVEL(labels_at)(labels + i);
        VECTOR mean = {0};
        for (int c = 0; c < channels; c++) {
            const struct class_derivative d = derivatives[c];
            VECTOR p = LOAD(probabilities + c * stride + i);
            mean += (CHOOSE((LANES)(label == c), (VECTOR){0} + d.inside, (VECTOR){0} + d.outside) + d.slope * p) * p;
        }
        for (int c = 0; c < channels; c++) {
            const struct class_derivative d = derivatives[c];
            VECTOR p = LOAD(probabilities + c * stride + i);
            VECTOR constant = CHOOSE((LANES)(label == c), (VECTOR){0} + d.inside, (VECTOR){0} + d.outside);
            VECTOR derivative = constant + d.slope * p;
            STORE(probabilities + c * stride + i,
                  CHOOSE((LANES)(label != ignored), p * (derivative - mean), (VECTOR){0}));
        }
    }
    for (; i < count; i++) {
        float mean = 0;
        for (int c = 0; c < channels; c++) {
            const float p = probabilities[c * stride + i];
            mean += ((labels[i] == c ? derivatives[c].inside : derivatives[c].outside) + derivatives[c].slope * p) * p;
        }
        for (int c = 0; c < channels; c++) {
            const float p = probabilities[c * stride + i];
            float derivative =
                (labels[i] == c ? derivatives[c].inside : derivatives[c].outside) + derivatives[c].slope * p;
            probabilities[c * stride + i] = labels[i] != ignored ? p * (derivative - mean) : 0;
        }
    }
}

// source[(x + lane) * step + tap] for every lane, where the caller made sure of the memory.
ALWAYS_INLINE VECTOR LEVEL(strided)(const float *source, const int step, int tap) {
    if (step == 1) return LOAD(source + tap);
    if (step == 2) {
        // Even and odd taps use the same loads, so that nothing after the row is read.
        const float *pair = source + (tap & ~1);
        VECTOR a = LOAD(pair), b = LOAD(pair + WIDTH);
#if WIDTH == 16
        return tap & 1 ? __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
                       : __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
#elif WIDTH == 8
        return tap & 1 ? __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
                       : __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
#else
        return tap & 1 ? __builtin_shufflevector(a, b, 1, 3, 5, 7) : __builtin_shufflevector(a, b, 0, 2, 4, 6);
#endif
    }
    VECTOR values;
    for (int lane = 0; lane < WIDTH; lane++) values[lane] = source[lane * step + tap];
    return values;
}

// The windows x ..< x + WIDTH, all of them whole.
// Without indices where `argmax` is a constant NULL.
ALWAYS_INLINE void LEVEL(maxima_block)(const struct pooling_row *w, const int step, int x, float *maxima,
                                       int32_t *argmax) {
    VECTOR best = {0};
    LANES argmax_index = {0}, column;
    // The minimum of x is the maximum of -x with the sign changed back.
    const LANES sign = (LANES){0} + (w->takes_minimum ? INT32_MIN : 0);
    UNROLL for (int lane = 0; lane < WIDTH; lane++) column[lane] = (x + lane) * step;
    for (int z = 0; z < w->rows_z; z++)
        for (int y = 0; y < w->rows_y; y++) {
            long start = (w->first_z + z) * w->plane + (w->first_y + y) * w->row;
            for (int tap = 0; tap < w->columns; tap++) {
                VECTOR value = LEVEL(strided)(w->channel + start + (long)x * step, step, tap);
                value = (VECTOR)((LANES)value ^ sign);
                LANES index = column + (int)(start + tap);
                LANES is_better = (LANES)(value > best) | (LANES)(value != value);
                if (z + y + tap == 0) is_better = ~(LANES){0};
                best = CHOOSE(is_better, value, best);
                argmax_index = (index & is_better) | (argmax_index & ~is_better);
            }
        }
    STORE(maxima + x, (VECTOR)((LANES)best ^ sign));
    if (argmax) *(LEVEL(loose_lanes) *)(argmax + x) = argmax_index;
}

ALWAYS_INLINE void LEVEL(maxima_row)(const struct pooling_row *w, float *maxima, int32_t *argmax) {
    int x = 0;
    // The floats that a block reads: with step 2 a multiple of two vectors from each even tap.
    int span = w->step == 2 ? ((w->columns - 1) & ~1) + 2 * WIDTH
                             : (WIDTH - 1) * w->step + w->columns;
    while (x < w->width) {
        // The last block begins earlier where it would end after the row.
        int first = (int)smaller(x, w->width - WIDTH);
        if (first < 0 || first * w->step + span > w->input_width) break;
        if (w->step == 1) LEVEL(maxima_block)(w, 1, first, maxima, argmax);
        else if (w->step == 2) LEVEL(maxima_block)(w, 2, first, maxima, argmax);
        else LEVEL(maxima_block)(w, w->step, first, maxima, argmax);
        x = first + WIDTH;
    }
    for (; x < w->width; x++) {
        int columns = (int)smaller(w->columns, w->input_width - x * w->step);
        float best = 0;
        long argmax_index = -1;
        for (int z = 0; z < w->rows_z; z++)
            for (int y = 0; y < w->rows_y; y++) {
                long start = (w->first_z + z) * w->plane + (w->first_y + y) * w->row + (long)x * w->step;
                for (int tap = 0; tap < columns; tap++) {
                    float value = w->channel[start + tap];
                    if (argmax_index < 0 || (w->takes_minimum ? value < best : value > best) || value != value) {
                        best = value;
                        argmax_index = start + tap;
                    }
                }
            }
        maxima[x] = best;
        if (argmax) argmax[x] = (int32_t)argmax_index;
    }
}

static void LEVEL(maxima)(const struct pooling_row *w, float *maxima, int32_t *argmax) {
    if (argmax) LEVEL(maxima_row)(w, maxima, argmax);
    else LEVEL(maxima_row)(w, maxima, NULL);
}

// Lanes of a and b in turn: the first WIDTH of them, and the others.
ALWAYS_INLINE void LEVEL(interleave)(VECTOR a, VECTOR b, VECTOR pairs[2]) {
#if WIDTH == 16
    pairs[0] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    pairs[1] = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif WIDTH == 8
    pairs[0] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    pairs[1] = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
    pairs[0] = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    pairs[1] = __builtin_shufflevector(a, b, 2, 6, 3, 7);
#endif
}

// The windows x ..< x + WIDTH; `has_source` and `has_values` are constants.
ALWAYS_INLINE void LEVEL(scatter_block)(const struct pooling_2x2x2_row *r, const int has_source, const int has_values,
                                       int x, float *target) {
    VECTOR g = LOAD(r->gradients + x);
    if (has_values) g = LEVEL(passed)(g, LOAD(r->values + x), &r->gate);
    g *= r->gradient_scale;
    LANES column;
    UNROLL for (int lane = 0; lane < WIDTH; lane++) column[lane] = 2 * lane;
    LANES corner_of_window = *(const LEVEL(loose_lanes) *)(r->argmax + x) - column - (int)(r->start + 2 * x);
    UNROLL for (int z = 0; z < 2; z++)
        UNROLL for (int y = 0; y < 2; y++) {
            const long corner = z * r->plane + y * r->row, voxel = r->start + corner + 2 * x;
            VECTOR pairs[2];
            LEVEL(interleave)(CHOOSE((LANES)(corner_of_window == (int)corner), g, (VECTOR){0}),
                              CHOOSE((LANES)(corner_of_window == (int)corner + 1), g, (VECTOR){0}), pairs);
            UNROLL for (int half = 0; half < 2; half++) {
                if (has_source) pairs[half] += r->source_scale * LOAD(r->source + voxel + half * WIDTH) + r->shift;
                STORE(target + voxel + half * WIDTH, pairs[half]);
            }
        }
}

ALWAYS_INLINE void LEVEL(scatter_row)(const struct pooling_2x2x2_row *r, const int has_source, const int has_values,
                                     float *target) {
    int x = 0;
    while (x < r->width && r->width >= WIDTH) {
        // The last block begins earlier where it would end after the row.
        int first = (int)smaller(x, r->width - WIDTH);
        LEVEL(scatter_block)(r, has_source, has_values, first, target);
        x = first + WIDTH;
    }
    // Windows that do not fill a block, and the column after the last window.
    for (int column = 2 * x; column < r->input_width; column++)
        for (int corner = 0; corner < 4; corner++) {
            long voxel = r->start + (corner >> 1) * r->plane + (corner & 1) * r->row + column;
            int window = column / 2;
            float g = 0;
            if (window < r->width && r->argmax[window] == voxel)
                g = r->gradient_scale * LEVEL(passed_one)(r->gradients[window], has_values ? r->values[window] : 0,
                                                  has_values ? &r->gate : NULL);
            target[voxel] = has_source ? g + r->source_scale * r->source[voxel] + r->shift : g;
        }
}

static void LEVEL(pooling_2x2x2_gradient)(const struct pooling_2x2x2_row *r, float *target) {
    if (r->source && r->values) LEVEL(scatter_row)(r, 1, 1, target);
    else if (r->source) LEVEL(scatter_row)(r, 1, 0, target);
    else if (r->values) LEVEL(scatter_row)(r, 0, 1, target);
    else LEVEL(scatter_row)(r, 0, 0, target);
}

#undef CHOOSE
