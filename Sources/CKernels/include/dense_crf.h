// Inner loops of the fully connected CRF's mean field on decimated grids; docs/algorithms/dense-crf.md derives them.
//
// Rows are written up to `count` rounded up to 16 elements, so buffers end with at least 16 spare floats;
// exceptions are named. What is read behind a row's end must be finite and has no influence.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "instruction_set.h"

#ifdef __cplusplus
extern "C" {
#endif

// One row of voxels along the fastest axis and how it meets its row of cells.
struct dense_crf_row {
    const uint16_t *codes;        // intensity level of each voxel, readable for 16 voxels behind the end
    const float *features;        // `ranks` values per level: their dot product is the range kernel
    size_t ranks;                 // floats per cell, a multiple of 16
    size_t count;                 // voxels
    size_t step;                  // voxels per cell
    size_t cells;                 // cells that exist; voxel x touches x / step ... x / step + 2
    const int32_t *cell_offsets;  // x / step * ranks of each voxel, for 16 voxels behind the end too
    const float *weights[3];      // weight of each voxel in its three cells, 0 behind the end
};

// The loops of one instruction set.
struct dense_crf_kernels {
    // out = w[0] a + w[1] b + w[2] c.
    void (*combine)(float *out, const float *a, const float *b, const float *c, const float *w, size_t count);
    // a += w[0] in, b += w[1] in, c += w[2] in.
    void (*distribute)(float *a, float *b, float *c, const float *in, const float *w, size_t count);
    // out[k] = sum over m of taps[|m - k|] in[m], |m - k| <= radius, for `count` vectors of `inner` floats (a
    // multiple of 16) that lie a stride apart; out and in do not overlap.
    void (*filter)(float *out, size_t out_stride, const float *in, size_t in_stride, size_t count, size_t inner,
                   const float *taps, size_t radius);
    // out[i] = sum over d of taps[|d|] in[i + d]; in has `radius` floats before and radius + 16 behind its row.
    void (*filter_row)(float *out, const float *in, size_t count, const float *taps, size_t radius);
    // out[x] = dot(features of x, cells interpolated at x); `cells` ends with 16 spare cells.
    void (*slice_row)(float *out, const float *cells, const struct dense_crf_row *row);
    // Writes every cell of the row: the adjoint of slice_row for values[x] * factors[x]. `scratch` has room for
    // three rows rounded up to 16 and 16 more.
    void (*splat_row)(float *cells, const float *values, const float *factors, float *scratch,
                      const struct dense_crf_row *row);
    // out = base + scale a b.
    void (*add_product)(float *out, const float *base, const float *a, const float *b, float scale, size_t count);
    // out = scale a b.
    void (*multiply)(float *out, const float *a, const float *b, float scale, size_t count);
    // From logits x[c] of classes 1...channels against class 0: Q[c] - Q[0] of each. Rows lie `stride` apart.
    void (*differences)(float *out, const float *logits, size_t stride, size_t channels, size_t count);
    // The same, Q of class 0 and then of every channel.
    void (*marginals)(float *out, const float *logits, size_t stride, size_t channels, size_t count);
    // Probabilities [classes][stride] to logits [classes - 1][out_stride] against class 0: values below `floor`
    // count as `floor`, sums further than 1e-3 from 1 are divided out first. Exactly `count` are read and
    // written. Returns 0 when a value is negative or not finite or all of a voxel are 0.
    int (*unary)(float *out, size_t out_stride, const float *probabilities, size_t stride, size_t classes,
                 float floor, size_t count);
    // values = 1 / values, or 1 / sqrt(values), of values that are at least 1e-6; exactly `count`.
    void (*invert)(float *values, int square_root, size_t count);
    // Bit 0: every value is finite. Bit 1: every value is a whole number below 2^24 in size. Exactly `count`.
    int (*inspect)(const float *values, size_t count);
    // codes = (clamp(image, lower, upper) - lower) * levels_per_unit, rounded; exactly `count`.
    void (*encode)(uint16_t *codes, const float *image, float lower, float upper, float levels_per_unit,
                   size_t count);
};

// The loops for `level`, which the processor must have.
const struct dense_crf_kernels *dense_crf_kernels_for(enum kernels_level level);

#ifdef __cplusplus
}
#endif
