// Inner loops of the fully connected CRF's mean field on decimated grids; docs/algorithms/dense-crf.md derives them.
//
// Rows are written up to `count` rounded up to 16 elements, so buffers end with at least 16 spare floats;
// exceptions are named. What is read after a row's end must be finite and has no influence.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "instruction_set.h"

#ifdef __cplusplus
extern "C" {
#endif

// The maximum number of images that one range kernel compares together.
#define DENSE_CRF_MODALITIES 3
// The maximum number of features of the range kernel.
#define DENSE_CRF_RANKS 256

// One row of voxels along the fastest axis and its relation to its row of cells, [cell][channel][feature].
struct dense_crf_row {
    const uint16_t *codes[DENSE_CRF_MODALITIES];  // intensity level of each voxel, readable for 16 after the end
    const float *features[DENSE_CRF_MODALITIES];  // [ranks / 16][level][16]; a voxel's features are the product of
                                                  // its levels' over the modalities
    size_t levels[DENSE_CRF_MODALITIES];          // intensity levels
    size_t modalities;
    size_t ranks;             // features, a multiple of 16
    size_t channels;          // classes less one
    size_t count;             // voxels
    size_t step;              // voxels per cell
    size_t cells;             // cells that exist; voxel x touches x / step ... x / step + 2
    const float *block_weights;  // three per position in a block, positions from both ends mirroring each other
    const float *weights[3];     // weight of each voxel in its three cells, 0 after the end
};

// One kernel's cells for a plane of voxels, interpolated along k.
struct dense_crf_plane {
    const float *received;  // filtered cells that messages come from; NULL before the first iteration
    float *sent;            // cells that the update is added to; NULL where nothing is sent
    size_t row_floats;      // floats of a row of cells, a multiple of 16
    size_t slack;           // floats that are readable after a row
    size_t step;            // voxels per cell along j
    const float *weights;   // three per position in a block
};

// What a pass over the voxels reads and writes; pointers are to voxel 0 of the volume.
struct dense_crf_pass {
    size_t rows;  // rows of a plane of voxels
    struct dense_crf_row row;
    struct dense_crf_plane appearance, smoothness;  // `row_floats` 0 without that kernel
    const float *logits;  // unary logits of each class against class 0
    size_t logit_stride;  // floats between two classes, in `differences` too
    float *differences;   // Q[c] - Q[0] of the pass before, where not NULL replaced by this pass's
    int excludes_self;    // whether a voxel's message to itself is subtracted, which needs `differences`
    float appearance_weight, smoothness_weight;
    const float *appearance_before, *appearance_after;         // factors per voxel, NULL for 1
    const float *smoothness_before[3], *smoothness_after[3];  // factors per position along i, j, k
    size_t smoothness_step;           // voxels per cell along i: 1, 2, 4 or 8
    size_t smoothness_cells;          // cells of a row; voxel x touches those from x / step on, three of them
    size_t smoothness_stride;         // floats between the rows of two channels, at least 15 more than cells
    const float *smoothness_weights;  // three per position in a block along i
    uint8_t *labels;   // of the last pass, which sends nothing; else NULL
    float *marginals;  // of every class where asked for, else NULL; exactly `count` of a row are written
    size_t marginal_stride;
};

// The cells of one kernel and one class around a brick of voxels, in the grid of the class.
struct dense_crf_brick {
    float *cells;  // the first cell that the brick touches; NULL without this kernel
    size_t row_stride, plane_stride;  // floats between two rows and two planes of the grid
    size_t rows;           // rows of cells that the brick touches
    size_t touched;        // floats of a row that it touches, at most the pass's row_floats, which rows have from there
    size_t step;           // voxels per cell along k
    const float *weights;  // three per position in a block along k
    float *planes;         // scratch for `step` planes of `rows` rows of the pass's row_floats, and its slack
};

// Floats of scratch that one worker's pass needs; they must be finite.
size_t dense_crf_scratch_floats(const struct dense_crf_pass *pass);

// The loops of one instruction set.
struct dense_crf_kernels {
    // out[p] = w[3p] a + w[3p+1] b + w[3p+2] c for `positions` rows p; a, b, c lie `stride` apart from `cells` on.
    void (*combine)(float *out, size_t out_stride, const float *cells, size_t stride, const float *w,
                    size_t positions, size_t count);
    // The adjoint of combine: a += w[3p] in[p], b += w[3p+1] in[p], c += w[3p+2] in[p] for every p.
    void (*distribute)(float *cells, size_t stride, const float *in, size_t in_stride, const float *w,
                       size_t positions, size_t count);
    // out[k] = sum over m of taps[|m - k|] in[m], |m - k| <= radius, for `count` vectors of `inner` floats (a
    // multiple of 16) that lie a stride apart; out and in do not overlap.
    void (*filter)(float *out, size_t out_stride, const float *in, size_t in_stride, size_t count, size_t inner,
                   const float *taps, size_t radius);
    // out[i] = sum over d of taps[|d|] in[i + d]; in has `radius` floats before and radius + 16 after its row.
    void (*filter_row)(float *out, const float *in, size_t count, const float *taps, size_t radius);
    // Each of `count` cells of `ranks` values becomes B A x for the matrices A^T (upper triangular), then B^T (lower
    // triangular) at `matrices`, row-major.
    void (*transform)(float *cells, const float *matrices, size_t ranks, size_t count);
    // out[c stride + x] = dot(features of x, cells of channel c interpolated at x); 16 spare cells after the row.
    void (*slice_row)(float *out, size_t stride, const float *cells, const struct dense_crf_row *row);
    // Writes every cell of the row: the adjoint of slice_row for values times factors (NULL for 1). `scratch` has
    // space for three rows rounded up to 16 and 32 more each.
    void (*splat_row)(float *cells, const float *values, size_t stride, const float *factors, float *scratch,
                      const struct dense_crf_row *row);
    // From logits x[c] of classes 1...channels against class 0: Q[c] - Q[0] of each. Rows lie `stride` apart; in
    // place or not. `others` classes have the logits and the Q of class 0; with 0 there is none, and Q[0] is 0.
    void (*differences)(float *out, const float *logits, size_t stride, size_t channels, float others, size_t count);
    // The lowest and the highest value of every 8 voxels along a row (fewer at its end), over all rows of `count`.
    void (*extrema)(float *lowest, float *highest, const float *values, size_t rows, size_t count);
    // From the logits that `differences` takes for one other class: Q of class 0, followed by Q of every channel.
    void (*marginals)(float *out, const float *logits, size_t stride, size_t channels, size_t count);
    // The most probable class, the lowest of equally probable ones, never 0 where `others` is 0; exactly `count`.
    void (*labels)(uint8_t *labels, const float *logits, size_t stride, size_t channels, float others, size_t count);
    // For the rows first..<end of one plane of voxels: gathers messages, does the mean-field update, and adds the result
    // to the cells of the next iteration or, with `labels`, writes the labels.
    void (*update_rows)(const struct dense_crf_pass *pass, size_t plane, size_t first, size_t end, float *scratch);
    // The two halves of update_rows for one class in a brick of `planes` planes, which `pass` describes as a volume of its
    // own. receive_brick adds the messages to the unary at `logits`; send_brick adds `values` to the cells.
    void (*receive_brick)(const struct dense_crf_pass *pass, const struct dense_crf_brick *appearance,
                          const struct dense_crf_brick *smoothness, size_t planes, float *logits, float *scratch);
    void (*send_brick)(const struct dense_crf_pass *pass, const struct dense_crf_brick *appearance,
                       const struct dense_crf_brick *smoothness, size_t planes, float *values, float *scratch);
    // Sends ones through the appearance kernel for the same rows, in one channel and without factors.
    void (*send_ones)(const struct dense_crf_pass *pass, size_t plane, size_t first, size_t end, float *scratch);
    // The appearance kernel's messages, exactly `count` of a row; after send_ones these are the kernel's row sums.
    void (*receive_sums)(const struct dense_crf_pass *pass, size_t plane, size_t first, size_t end, float *sums,
                         float *scratch);
    // Converts probabilities [classes][stride] to logits [classes - 1][out_stride] against class 0. Voxels whose sum
    // differs from 1 by more than 1e-3 are divided by it, then values below `floor` become `floor`. Exactly `count` are
    // read and written. Returns 0 when a value is negative or not finite, or all values of a voxel are 0.
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
