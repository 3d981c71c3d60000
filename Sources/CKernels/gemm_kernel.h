// Included once per instruction set by gemm.c through every_level.h; no include guard on purpose.

#include "vectors.h"
#include "piecewise_linear.inc"

// 3 vectors of columns; with 8 rows 24 of AVX-512's 32 registers hold sums, with 4 rows 12 of the others' 16.
#define COLUMNS (3 * WIDTH)
#if WIDTH == 16
#define TILE_ROWS 8
#else
#define TILE_ROWS 4
#endif

// `rows` is a constant after inlining: the rows computed, of which the packed weights hold that many. No `activation`
// stands for the identity.
ALWAYS_INLINE void LEVEL(tile)(const int rows, int depth, const float *restrict a,
                               const float *restrict b, const long *restrict b_rows, float *restrict c, long c_stride,
                               const float *bias, int accumulates,
                               const struct piecewise_linear *activation) {
    VECTOR sum[TILE_ROWS][3];
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < 3; v++)
        sum[r][v] = accumulates ? LOAD(c + r * c_stride + v * WIDTH) : (VECTOR){0};
    if (bias)
        UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < 3; v++) sum[r][v] += bias[r];
    for (int k = 0; k < depth; k++, a += GEMM_ROWS) {
        const float *row = b + b_rows[k];
        VECTOR b0 = LOAD(row), b1 = LOAD(row + WIDTH), b2 = LOAD(row + 2 * WIDTH);
        UNROLL for (int r = 0; r < rows; r++) {
            sum[r][0] += a[r] * b0;
            sum[r][1] += a[r] * b1;
            sum[r][2] += a[r] * b2;
        }
    }
    if (activation) {
        if (activation->slopes)
            UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < 3; v++)
                sum[r][v] = LEVEL(sloped)(sum[r][v], (VECTOR){0} + activation->slopes[r]);
        const VECTOR lower = (VECTOR){0} + activation->lower, upper = (VECTOR){0} + activation->upper;
        UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < 3; v++)
            sum[r][v] = LEVEL(bounded)(sum[r][v], lower, upper);
    }
    UNROLL for (int r = 0; r < rows; r++) UNROLL for (int v = 0; v < 3; v++)
        STORE(c + r * c_stride + v * WIDTH, sum[r][v]);
}

static void LEVEL(tile_full)(int depth, const float *a, const float *b, const long *b_rows, float *c, long c_stride,
                             const float *bias, int accumulates, const struct piecewise_linear *activation) {
    LEVEL(tile)(TILE_ROWS, depth, a, b, b_rows, c, c_stride, bias, accumulates, activation);
}
#if TILE_ROWS == 8
static void LEVEL(tile_4)(int depth, const float *a, const float *b, const long *b_rows, float *c, long c_stride,
                          const float *bias, int accumulates, const struct piecewise_linear *activation) {
    LEVEL(tile)(4, depth, a, b, b_rows, c, c_stride, bias, accumulates, activation);
}
#endif
static void LEVEL(tile_2)(int depth, const float *a, const float *b, const long *b_rows, float *c, long c_stride,
                          const float *bias, int accumulates, const struct piecewise_linear *activation) {
    LEVEL(tile)(2, depth, a, b, b_rows, c, c_stride, bias, accumulates, activation);
}

static void LEVEL(multiply_panel)(const struct gemm_panel *p) {
    for (int row = 0; row < p->rows; row += TILE_ROWS) {
        const float *a = p->a + (row / GEMM_ROWS) * p->a_block + row % GEMM_ROWS;
        const float *bias = p->bias ? p->bias + row : NULL;
        struct piecewise_linear of_rows = p->activation;
        if (of_rows.slopes) of_rows.slopes += row;
        const struct piecewise_linear *activation = piecewise_linear_is_identity(of_rows) ? NULL : &of_rows;
        int rows = smaller(p->rows - row, TILE_ROWS);
        int computed = rows <= 2 ? 2 : TILE_ROWS == 8 && rows <= 4 ? 4 : TILE_ROWS;
        float *c = p->c + row * p->c_stride;
        long c_stride = p->c_stride;
        float edge[TILE_ROWS * COLUMNS];
        int is_edge = rows < computed || p->columns < COLUMNS;
        if (is_edge) {
            if (p->accumulates) {
                memset(edge, 0, sizeof edge);
                for (int r = 0; r < rows; r++)
                    memcpy(edge + r * COLUMNS, c + r * c_stride, (size_t)p->columns * sizeof *c);
            }
            c = edge;
            c_stride = COLUMNS;
        }
        if (computed == TILE_ROWS)
            LEVEL(tile_full)(p->depth, a, p->b, p->b_rows, c, c_stride, bias, p->accumulates, activation);
#if TILE_ROWS == 8
        else if (computed == 4)
            LEVEL(tile_4)(p->depth, a, p->b, p->b_rows, c, c_stride, bias, p->accumulates, activation);
#endif
        else
            LEVEL(tile_2)(p->depth, a, p->b, p->b_rows, c, c_stride, bias, p->accumulates, activation);
        if (is_edge)
            for (int r = 0; r < rows; r++)
                memcpy(p->c + (row + r) * p->c_stride, edge + r * COLUMNS,
                       (size_t)p->columns * sizeof *edge);
    }
}

// panel[j] = row[x + j * step] for j in 0..<length, 0 where that lies outside 0..<width.
ALWAYS_INLINE void LEVEL(gather_run)(const float *restrict row, int width, int x, int step, int length,
                                     float *restrict panel) {
    if (step == 1) {
#if WIDTH == 16
        // Masked lanes neither fault nor keep old values, so clipping costs nothing.
        int low = x < 0 ? -x : 0, high = smaller(length, width - x);
        for (int j = 0; j < length; j += 16) {
            unsigned below = low > j ? (low - j >= 16 ? 0xFFFFu : (1u << (low - j)) - 1) : 0;
            unsigned upto = high <= j ? 0 : high - j >= 16 ? 0xFFFFu : (1u << (high - j)) - 1;
            unsigned kept = length - j >= 16 ? 0xFFFFu : (1u << (length - j)) - 1;
            __m512 value = _mm512_maskz_loadu_ps((__mmask16)(upto & ~below), row + x + j);
            _mm512_mask_storeu_ps(panel + j, (__mmask16)kept, value);
        }
#else
        int low = smaller(x < 0 ? -x : 0, length), high = smaller(length, width - x);
        int j = 0;
        for (; j < low; j++) panel[j] = 0;
        for (; j + WIDTH <= high; j += WIDTH) STORE(panel + j, LOAD(row + x + j));
        for (; j < high; j++) panel[j] = row[x + j];
        for (; j < length; j++) panel[j] = 0;
#endif
        return;
    }
    int j = 0;
    for (; j < length && x + j * step < 0; j++) panel[j] = 0;
    if (step == 2)
        for (; j + WIDTH <= length && x + 2 * (j + WIDTH) <= width; j += WIDTH) {
            VECTOR a = LOAD(row + x + 2 * j), b = LOAD(row + x + 2 * j + WIDTH);
#if WIDTH == 16
            STORE(panel + j, __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26,
                                                     28, 30));
#elif WIDTH == 8
            STORE(panel + j, __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14));
#else
            STORE(panel + j, __builtin_shufflevector(a, b, 0, 2, 4, 6));
#endif
        }
    for (; j < length && x + j * step < width; j++) panel[j] = row[x + j * step];
    for (; j < length; j++) panel[j] = 0;
}

ALWAYS_INLINE void LEVEL(gather_rows)(const struct gemm_gather *g, const struct gather_segment *segments,
                                      int count, const int step, int first_row, int last_row, float *panel,
                                      long stride) {
    const int taps = g->taps_z * g->taps_y * g->taps_x;
    int channel = first_row / taps, tap = first_row % taps;
    int tx = tap % g->taps_x, ty = tap / g->taps_x % g->taps_y, tz = tap / g->taps_x / g->taps_y;
    for (int k = first_row; k < last_row; k++, panel += stride) {
        const float *source = g->source + channel * g->channel_stride;
        for (int s = 0; s < count; s++) {
            const struct gather_segment *segment = segments + s;
            int z = segment->z + g->offset_z[tz], y = segment->y + g->offset_y[ty];
            float *target = panel + segment->position;
            if (z < 0 || z >= g->depth || y < 0 || y >= g->height)
                memset(target, 0, (size_t)segment->length * sizeof *target);
            else
                LEVEL(gather_run)(source + ((long)(z - g->first_plane) * g->height + y) * g->width, g->width,
                                  segment->x + g->offset_x[tx], step, segment->length, target);
        }
        if (++tx == g->taps_x) {
            tx = 0;
            if (++ty == g->taps_y) {
                ty = 0;
                if (++tz == g->taps_z) {
                    tz = 0;
                    channel++;
                }
            }
        }
    }
}

static void LEVEL(gather_panel)(const struct gemm_gather *g, long first_column, int columns, int first_row,
                                int last_row, float *panel, long stride) {
    struct gather_segment segments[GEMM_GATHER_COLUMNS];
    int count = gather_segments(g, first_column, columns, segments);
    if (g->step_x == 1)
        LEVEL(gather_rows)(g, segments, count, 1, first_row, last_row, panel, stride);
    else if (g->step_x == 2)
        LEVEL(gather_rows)(g, segments, count, 2, first_row, last_row, panel, stride);
    else
        LEVEL(gather_rows)(g, segments, count, g->step_x, first_row, last_row, panel, stride);
}

// The sums of neighbouring lanes of a, then of b.
ALWAYS_INLINE VECTOR LEVEL(pair_sums)(VECTOR a, VECTOR b) {
#if WIDTH == 16
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +
           __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#elif WIDTH == 8
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14) +
           __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#else
    return __builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7);
#endif
}

// Lanes 0 to 3: the sums of all lanes of a, b, c and d.
ALWAYS_INLINE VECTOR LEVEL(four_sums)(VECTOR a, VECTOR b, VECTOR c, VECTOR d) {
    VECTOR sums = LEVEL(pair_sums)(LEVEL(pair_sums)(a, b), LEVEL(pair_sums)(c, d));
#if WIDTH >= 8
    sums = LEVEL(pair_sums)(sums, sums);
#endif
#if WIDTH >= 16
    sums = LEVEL(pair_sums)(sums, sums);
#endif
    return sums;
}

// A tile of dot products, tile_rows x tile_columns at once, each over WIDTH lanes: 24 or 12 sums in registers. Those of
// the first left_rows x right_rows are kept. `tile_rows` and `tile_columns` are constants after inlining.
ALWAYS_INLINE void LEVEL(dot_products)(const int tile_rows, const int tile_columns, int left_rows, int right_rows,
                                       int length, const float *left, long left_stride, const float *right,
                                       const long *right_offsets, float *result, long result_stride) {
    const float *x[8], *y[6];
    // Beyond the last row the last one is used again, and its products are discarded.
    UNROLL for (int r = 0; r < tile_rows; r++) x[r] = left + smaller(r, left_rows - 1) * left_stride;
    UNROLL for (int c = 0; c < tile_columns; c++) y[c] = right + right_offsets[smaller(c, right_rows - 1)];
    VECTOR sum[8][6];
    UNROLL for (int r = 0; r < tile_rows; r++) UNROLL for (int c = 0; c < tile_columns; c++) sum[r][c] = (VECTOR){0};
    long p = 0;
    for (; p + WIDTH <= length; p += WIDTH) {
        // Registers for the side with fewer rows.
        VECTOR few[4];
        if (tile_rows < tile_columns) {
            UNROLL for (int r = 0; r < tile_rows; r++) few[r] = LOAD(x[r] + p);
            UNROLL for (int c = 0; c < tile_columns; c++) {
                const VECTOR yv = LOAD(y[c] + p);
                UNROLL for (int r = 0; r < tile_rows; r++) sum[r][c] += few[r] * yv;
            }
        } else {
            UNROLL for (int c = 0; c < tile_columns; c++) few[c] = LOAD(y[c] + p);
            UNROLL for (int r = 0; r < tile_rows; r++) {
                const VECTOR xv = LOAD(x[r] + p);
                UNROLL for (int c = 0; c < tile_columns; c++) sum[r][c] += xv * few[c];
            }
        }
    }
    float total[8][6];
    UNROLL for (int c = 0; c < tile_columns; c += tile_rows < 4 ? 2 : 1) UNROLL for (int r = 0; r < tile_rows; r += 4) {
        if (tile_rows < 4) {
            const VECTOR s = LEVEL(four_sums)(sum[0][c], sum[0][c + 1], sum[1][c], sum[1][c + 1]);
            UNROLL for (int i = 0; i < 4; i++) total[i / 2][c + i % 2] = s[i];
        } else {
            const VECTOR s = LEVEL(four_sums)(sum[r][c], sum[r + 1][c], sum[r + 2][c], sum[r + 3][c]);
            UNROLL for (int i = 0; i < 4; i++) total[r + i][c] = s[i];
        }
    }
    if (p < length)
        for (int r = 0; r < tile_rows; r++)
            for (int c = 0; c < tile_columns; c++)
                for (long q = p; q < length; q++) total[r][c] += x[r][q] * y[c][q];
    if (left_rows >= tile_rows && right_rows >= tile_columns) {
        UNROLL for (int r = 0; r < tile_rows; r++) UNROLL for (int c = 0; c < tile_columns; c++)
            result[r * result_stride + c] += total[r][c];
        return;
    }
    for (int r = 0; r < tile_rows && r < left_rows; r++)
        for (int c = 0; c < tile_columns && c < right_rows; c++) result[r * result_stride + c] += total[r][c];
}

static void LEVEL(multiply_transposed)(int left_rows, int right_rows, int length, const float *left,
                                       long left_stride, const float *right, const long *right_offsets,
                                       float *result, long result_stride) {
    int i = 0;
#if WIDTH == 16
    // Eight left rows stay in the first cache level; neighbouring right rows share most of their cache lines.
    for (; left_rows - i > 4; i += 8)
        for (int k = 0; k < right_rows; k += 3)
            LEVEL(dot_products)(8, 3, left_rows - i, right_rows - k, length, left + i * left_stride, left_stride,
                                right, right_offsets + k, result + i * result_stride + k, result_stride);
    if (i < left_rows)
        for (int k = 0; k < right_rows; k += 6)
            LEVEL(dot_products)(4, 6, left_rows - i, right_rows - k, length, left + i * left_stride, left_stride,
                                right, right_offsets + k, result + i * result_stride + k, result_stride);
#else
    for (int k = 0; k < right_rows; k += 6)
        for (i = 0; i < left_rows; i += 2)
            LEVEL(dot_products)(2, 6, left_rows - i, right_rows - k, length, left + i * left_stride, left_stride,
                                right, right_offsets + k, result + i * result_stride + k, result_stride);
#endif
}

#undef COLUMNS
#undef TILE_ROWS
