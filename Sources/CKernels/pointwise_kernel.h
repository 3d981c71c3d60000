// Included once per instruction set by pointwise.c through every_level.h; no include guard on purpose.

#include "vectors.h"
#include "elementary_functions.h"
#include "gates.h"
typedef unsigned char LEVEL(label_bytes) __attribute__((vector_size(WIDTH)));

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

// The highest logit of voxels, the logit of each voxel's own class and the weight of that class; 0 where it has none.
ALWAYS_INLINE VECTOR LEVEL(highest)(const float *logits, int channels, long stride, LANES label, const float *weights,
                                    VECTOR *own, VECTOR *weight) {
    VECTOR highest = LOAD(logits);
    *own = *weight = (VECTOR){0};
    for (int c = 0; c < channels; c++) {
        VECTOR value = LOAD(logits + c * stride);
        LANES is_own = (LANES)(label == c);
        highest = CHOOSE((LANES)(value > highest), value, highest);
        *own = CHOOSE(is_own, value, *own);
        *weight = CHOOSE(is_own, (VECTOR){0} + weights[c], *weight);
    }
    return highest;
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
            VECTOR own, weight, highest = LEVEL(highest)(logits + i, channels, stride, label, weights, &own, &weight);
            VECTOR sum = {0};
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
            VECTOR own, weight, highest = LEVEL(highest)(logits + i, channels, stride, label, weights, &own, &weight);
            VECTOR others = {0};
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
