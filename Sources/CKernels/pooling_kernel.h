// Included once per instruction set by pooling.c through every_level.h; no include guard on purpose.

#include "vectors.h"
#include "elementary_functions.h"
#include "gates.h"
typedef int LEVEL(loose_lanes) __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));

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
    UNROLL for (int lane = 0; lane < WIDTH; lane++) column[lane] = (x + lane) * step - w->before;
    for (int z = 0; z < w->rows_z; z++)
        for (int y = 0; y < w->rows_y; y++) {
            long start = (w->first_z + z) * w->plane + (w->first_y + y) * w->row;
            for (int tap = 0; tap < w->columns; tap++) {
                VECTOR value = LEVEL(strided)(w->channel + start + (long)x * step - w->before, step, tap);
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

// The columns of window x inside the row.
ALWAYS_INLINE int LEVEL(first_column)(const struct pooling_row *w, int x) {
    return x * w->step < w->before ? 0 : x * w->step - w->before;
}
ALWAYS_INLINE int LEVEL(last_column)(const struct pooling_row *w, int x) {
    return (int)smaller(w->input_width, (long)x * w->step - w->before + w->columns);
}

// The first of the WIDTH windows from x on that lie inside the row, earlier where the row of windows would end before the
// last of them; -1 where there are none.
ALWAYS_INLINE int LEVEL(whole_windows)(const struct pooling_row *w, int x) {
    // The floats that a block reads: with step 2 a multiple of two vectors from each even tap.
    int span = w->step == 2 ? ((w->columns - 1) & ~1) + 2 * WIDTH : (WIDTH - 1) * w->step + w->columns;
    int first = (int)smaller(x, w->width - WIDTH), column = first * w->step - w->before;
    return first >= 0 && column >= 0 && column + span <= w->input_width ? first : -1;
}

ALWAYS_INLINE void LEVEL(maximum)(const struct pooling_row *w, int x, float *maxima, int32_t *argmax) {
    float best = 0;
    long argmax_index = -1;
    for (int z = 0; z < w->rows_z; z++)
        for (int y = 0; y < w->rows_y; y++) {
            long start = (w->first_z + z) * w->plane + (w->first_y + y) * w->row;
            for (int column = LEVEL(first_column)(w, x); column < LEVEL(last_column)(w, x); column++) {
                float value = w->channel[start + column];
                if (argmax_index < 0 || (w->takes_minimum ? value < best : value > best) || value != value) {
                    best = value;
                    argmax_index = start + column;
                }
            }
        }
    maxima[x] = best;
    if (argmax) argmax[x] = (int32_t)argmax_index;
}

ALWAYS_INLINE void LEVEL(maxima_row)(const struct pooling_row *w, float *maxima, int32_t *argmax) {
    int x = 0;
    while (x < w->width) {
        int first = LEVEL(whole_windows)(w, x);
        if (first < 0) {
            LEVEL(maximum)(w, x++, maxima, argmax);
            continue;
        }
        if (w->step == 1) LEVEL(maxima_block)(w, 1, first, maxima, argmax);
        else if (w->step == 2) LEVEL(maxima_block)(w, 2, first, maxima, argmax);
        else LEVEL(maxima_block)(w, w->step, first, maxima, argmax);
        x = first + WIDTH;
    }
}

static void LEVEL(maxima)(const struct pooling_row *w, float *maxima, int32_t *argmax) {
    if (argmax) LEVEL(maxima_row)(w, maxima, argmax);
    else LEVEL(maxima_row)(w, maxima, NULL);
}

ALWAYS_INLINE void LEVEL(averages_block)(const struct pooling_row *w, const int step, int x, const float *factors,
                                         float *averages) {
    VECTOR sum = {0};
    for (int z = 0; z < w->rows_z; z++)
        for (int y = 0; y < w->rows_y; y++) {
            const float *row = w->channel + (w->first_z + z) * w->plane + (w->first_y + y) * w->row;
            for (int tap = 0; tap < w->columns; tap++)
                sum += LEVEL(strided)(row + (long)x * step - w->before, step, tap);
        }
    STORE(averages + x, sum * LOAD(factors + x));
}

static void LEVEL(averages)(const struct pooling_row *w, const float *factors, float *averages) {
    int x = 0;
    while (x < w->width) {
        int first = LEVEL(whole_windows)(w, x);
        if (first < 0) {
            float sum = 0;
            for (int z = 0; z < w->rows_z; z++)
                for (int y = 0; y < w->rows_y; y++) {
                    const float *row = w->channel + (w->first_z + z) * w->plane + (w->first_y + y) * w->row;
                    for (int column = LEVEL(first_column)(w, x); column < LEVEL(last_column)(w, x); column++)
                        sum += row[column];
                }
            averages[x] = sum * factors[x];
            x++;
            continue;
        }
        if (w->step == 1) LEVEL(averages_block)(w, 1, first, factors, averages);
        else if (w->step == 2) LEVEL(averages_block)(w, 2, first, factors, averages);
        else LEVEL(averages_block)(w, w->step, first, factors, averages);
        x = first + WIDTH;
    }
}

static void LEVEL(averages_gradient)(const struct pooling_row *w, const float *factors, const float *gradients,
                                     float *target) {
    for (int x = 0; x < w->width; x++) {
        const float value = factors[x] * gradients[x];
        const int first = LEVEL(first_column)(w, x), last = LEVEL(last_column)(w, x);
        for (int z = 0; z < w->rows_z; z++)
            for (int y = 0; y < w->rows_y; y++) {
                float *row = target + (w->first_z + z) * w->plane + (w->first_y + y) * w->row;
                for (int column = first; column < last; column++) row[column] += value;
            }
    }
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
