// Included once per instruction set by transposed_convolution.c through every_level.h; no include guard on purpose.

#include "vectors.h"
#include "piecewise_linear.inc"

#if WIDTH == 16
#define NEXT_LANES 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
#define LOW_PAIRS 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_PAIRS 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define EVEN_LANES 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD_LANES 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
// Sums of both phases of planes stay in registers: 18 of 32.
#define PLANES_AT_ONCE 2
#elif WIDTH == 8
#define NEXT_LANES 1, 2, 3, 4, 5, 6, 7, 8
#define LOW_PAIRS 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH_PAIRS 4, 12, 5, 13, 6, 14, 7, 15
#define EVEN_LANES 0, 2, 4, 6, 8, 10, 12, 14
#define ODD_LANES 1, 3, 5, 7, 9, 11, 13, 15
#define PLANES_AT_ONCE 1
#else
#define NEXT_LANES 1, 2, 3, 4
#define LOW_PAIRS 0, 4, 1, 5
#define HIGH_PAIRS 2, 6, 3, 7
#define EVEN_LANES 0, 2, 4, 6
#define ODD_LANES 1, 3, 5, 7
#define PLANES_AT_ONCE 1
#endif

// The position of a vector of columns in a row of the input.
enum LEVEL(position) { LEVEL(INSIDE), LEVEL(LAST), LEVEL(WHOLE) };
#define INSIDE LEVEL(INSIDE)
#define LAST LEVEL(LAST)
#define WHOLE LEVEL(WHOLE)

// The results of WIDTH input columns from `x` on, in `planes` phases of planes from `first_plane` on. At position LAST
// the columns end with the row; at WHOLE the row has at most WIDTH columns. All arguments but `rows` and `x` are
// constants after inlining.
ALWAYS_INLINE void LEVEL(make_columns)(const struct transposed_convolution_rows *rows, int x,
                                       const enum LEVEL(position) position, const int first_plane, const int planes) {
    VECTOR sum[2][2][2][2], far[2];  // output, plane, row, column; `far` shortens the longest chain of additions
    UNROLL for (int o = 0; o < 2; o++) {
        UNROLL for (int p = 0; p < 8; p++) sum[o][p / 4][p / 2 % 2][p % 2] = (VECTOR){0} + rows->bias[o];
        far[o] = (VECTOR){0};
    }
    const float *source[4], *weights = rows->weights;
    UNROLL for (int r = 0; r < 4; r++) source[r] = rows->source[r] + x;
    for (int channel = 0; channel < rows->inputs; channel++, weights += 27 * 2) {
        VECTOR in[2][2][2];
        UNROLL for (int r = 0; r < 4; r++) {
            if (r >= 2 && first_plane + planes == 1) continue;
            VECTOR value = {0};
            if (position == WHOLE) memcpy(&value, source[r], (size_t)rows->width * sizeof *source[r]);
            else value = LOAD(source[r]);
            in[r / 2][r % 2][0] = value;
            in[r / 2][r % 2][1] =
                position == INSIDE ? LOAD(source[r] + 1) : __builtin_shufflevector(value, (VECTOR){0}, NEXT_LANES);
            source[r] += rows->source_stride[r];
        }
        UNROLL for (int z = 0; z < 3; z++) {
            if (phase_of[z] < first_plane || phase_of[z] >= first_plane + planes) continue;
            UNROLL for (int y = 0; y < 3; y++) UNROLL for (int k = 0; k < 3; k++) {
                const VECTOR value = in[distance_of[z]][distance_of[y]][distance_of[k]];
                UNROLL for (int o = 0; o < 2; o++) {
                    const float weight = weights[((z * 3 + y) * 3 + k) * 2 + o];
                    if (z == 2 && y > 0 && k > 0) far[o] += weight * value;
                    else sum[o][phase_of[z]][phase_of[y]][phase_of[k]] += weight * value;
                }
            }
        }
    }
    const int activates = !piecewise_linear_is_identity(rows->activation);
    UNROLL for (int o = 0; o < 2; o++) {
        sum[o][1][1][1] += far[o];
        UNROLL for (int r = 2 * first_plane; r < 2 * (first_plane + planes); r++) {
            float *result = rows->result[o][r];
            if (!result) continue;
            VECTOR even = sum[o][r / 2][r % 2][0], odd = sum[o][r / 2][r % 2][1];
            if (activates) {
                even = LEVEL(of_channel)(even, &rows->activation, o);
                odd = LEVEL(of_channel)(odd, &rows->activation, o);
            }
            const VECTOR low = __builtin_shufflevector(even, odd, LOW_PAIRS);
            const VECTOR high = __builtin_shufflevector(even, odd, HIGH_PAIRS);
            if (position == WHOLE || (position == LAST && rows->result_width < 2 * rows->width)) {
                float pairs[2 * WIDTH];
                STORE(pairs, low);
                STORE(pairs + WIDTH, high);
                memcpy(result + 2 * x, pairs, (size_t)(rows->result_width - 2 * x) * sizeof *pairs);
            } else {
                STORE(result + 2 * x, low);
                STORE(result + 2 * x + WIDTH, high);
            }
        }
    }
}

ALWAYS_INLINE void LEVEL(make_planes)(const struct transposed_convolution_rows *rows, const int first_plane,
                                      const int planes) {
    if (rows->width < WIDTH) {
        LEVEL(make_columns)(rows, 0, WHOLE, first_plane, planes);
        return;
    }
    for (int x = 0; x + WIDTH < rows->width; x += WIDTH)
        LEVEL(make_columns)(rows, x, INSIDE, first_plane, planes);
    // Where the width is not a multiple, some columns are made twice.
    LEVEL(make_columns)(rows, rows->width - WIDTH, LAST, first_plane, planes);
}

static void LEVEL(make_rows)(const struct transposed_convolution_rows *rows) {
#if PLANES_AT_ONCE == 2
    LEVEL(make_planes)(rows, 0, 2);
#else
    LEVEL(make_planes)(rows, 0, 1);
    LEVEL(make_planes)(rows, 1, 1);
#endif
}

static void LEVEL(split)(const float *restrict row, int length, float *restrict even, float *restrict odd,
                         double *total) {
    int i = 0;
    while (i < length) {
        const int end = length - i > 1024 ? i + 1024 : length;
        VECTOR sums = {0};
        for (; i + 2 * WIDTH <= end; i += 2 * WIDTH) {
            const VECTOR a = LOAD(row + i), b = LOAD(row + i + WIDTH);
            STORE(even + i / 2, __builtin_shufflevector(a, b, EVEN_LANES));
            STORE(odd + i / 2, __builtin_shufflevector(a, b, ODD_LANES));
            sums += a + b;
        }
        float sum = 0;
        for (; i + 2 <= end; i += 2) {
            even[i / 2] = row[i];
            odd[i / 2] = row[i + 1];
            sum += row[i] + row[i + 1];
        }
        if (i < end) {
            even[i / 2] = row[i];
            sum += row[i++];
        }
        for (int lane = 0; lane < WIDTH; lane++) sum += sums[lane];
        *total += (double)sum;
    }
}

#undef INSIDE
#undef LAST
#undef WHOLE
#undef NEXT_LANES
#undef LOW_PAIRS
#undef HIGH_PAIRS
#undef EVEN_LANES
#undef ODD_LANES
#undef PLANES_AT_ONCE
