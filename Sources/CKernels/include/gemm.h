// Single-precision matrix products on panels of a few columns, and the gathering of such panels from volumes:
// the parts from which convolutions are made without ever building a whole column matrix.
//
// Every function takes the level to run at, which one computation asks for once: panels made at one level
// cannot be multiplied at another.
#pragma once

#include "instruction_set.h"
#include "piecewise_linear.h"

#ifdef __cplusplus
extern "C" {
#endif

// Rows that packed weights are interleaved by, at every level.
enum { GEMM_ROWS = 8 };

// The most columns that a gathered panel may have.
enum { GEMM_GATHER_COLUMNS = 1024 };

// Columns of one product panel: 48, 24 or 12.
int gemm_panel_columns(enum kernels_level level);

// C = A B on one panel: `rows` x `columns` with `depth` products each.
struct gemm_panel {
    int rows, columns, depth;
    const float *a;      // blocks of GEMM_ROWS rows, each [depth][GEMM_ROWS], padded with zeros
    long a_block;        // floats from one block of rows to the next
    const float *b;      // rows of which gemm_panel_columns(level) floats must be readable
    const long *b_rows;  // [depth] floats from b to each row: they may lie anywhere and overlap
    float *c;            // [rows] of which `columns` floats are written
    long c_stride;       // floats from one row of C to the next
    const float *bias;   // added to sums, one per row padded to GEMM_ROWS; NULL for 0
    int accumulates;     // whether C is added to sums
    struct piecewise_linear activation;  // of sums, with one slope per row padded to GEMM_ROWS
};
void gemm_multiply_panel(enum kernels_level level, const struct gemm_panel *panel);

// Where the rows and columns of a convolution's column matrix come from. Row k is (channel, tap z, tap y,
// tap x), the last fastest; column j is the voxel (z, y, x) of the output grid, x fastest; the element is the
// source's at position * step + offset[tap], or 0 outside the source.
struct gemm_gather {
    const float *source;                          // plane first_plane of the first channel
    long channel_stride;                          // floats from one channel to the next
    int first_plane;                              // planes before it are not held, and not read
    int depth, height, width;                     // extents of the whole source
    int grid_height, grid_width;                  // of the output grid
    int step_z, step_y, step_x;
    int taps_z, taps_y, taps_x;
    const int *offset_z, *offset_y, *offset_x;
};

// Writes rows first_row ..< last_row of columns first_column ..< first_column + columns into `panel`, whose
// rows are `stride` floats apart. `columns` is at most GEMM_GATHER_COLUMNS.
void gemm_gather_panel(enum kernels_level level, const struct gemm_gather *gather, long first_column,
                       int columns, int first_row, int last_row, float *panel, long stride);

// result[i * result_stride + k] += sum over p of left[i * left_stride + p] * right[right_offsets[k] + p]
// for i in 0..<left_rows, k in 0..<right_rows, p in 0..<length; the rows on the right may overlap.
void gemm_multiply_transposed(enum kernels_level level, int left_rows, int right_rows, int length,
                              const float *left, long left_stride, const float *right, const long *right_offsets,
                              float *result, long result_stride);

#ifdef __cplusplus
}
#endif
