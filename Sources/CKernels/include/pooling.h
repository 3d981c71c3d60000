// Max- and average-pooling of rows of windows, and their backward passes.
#pragma once

#include "pointwise.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The `width` pooling windows of one row of outputs. They are `step` input columns apart; each has rows_z x rows_y rows
// of `columns` voxels, cropped at 0 and at `input_width`.
struct pooling_row {
    const float *channel;              // first voxel of the channel
    long plane, row;                   // floats from one plane and one row to the next
    int first_z, first_y;              // of the windows
    int rows_z, rows_y, columns;       // extents of the windows inside the input
    int step, input_width, width;
    int before;                        // columns of the first window before the row; below `columns`
    int takes_minimum;                 // min-pooling instead of max-pooling
};

// The greatest value of every window and, where `argmax` is not NULL, its index inside the channel. NaN is
// greatest; of equal numbers the first in memory is taken.
void pooling_maxima(enum kernels_level level, const struct pooling_row *row, float *maxima,
                    int32_t *argmax);

// The sum of every window times factors[x]: average-pooling.
void pooling_averages(enum kernels_level level, const struct pooling_row *row, const float *factors, float *averages);

// The backward pass of pooling_averages: adds factors[x] gradients[x] to every voxel of window x. `target` is the
// channel's first voxel; the row's `channel` is not used.
void pooling_averages_gradient(enum kernels_level level, const struct pooling_row *row, const float *factors,
                               const float *gradients, float *target);

// The backward pass of one row of 2 x 2 x 2 windows that do not overlap: the gradient of the voxels of its two rows in
// each of two planes, the column after the last window included.
struct pooling_2x2x2_row {
    const float *gradients;            // with respect to the maxima
    const int32_t *argmax;             // as pooling_maxima gives them
    const float *values;               // a gradient passes where the gate, of this value, is open; NULL for everywhere
    const float *source;               // the voxels of the channel, or NULL
    struct pointwise_gate gate;
    float gradient_scale, source_scale, shift;
    long start, plane, row;            // the first window's first voxel, floats from one plane and one row to the next
    int input_width, width;
};

// target[voxel] = gradient_scale g + source_scale source[voxel] + shift, where g is the window's gradient at its argmax
// and 0 elsewhere; without a source the last two terms are 0. `target` is the channel's first voxel.
void pooling_2x2x2_gradient(enum kernels_level level, const struct pooling_2x2x2_row *row, float *target);

#ifdef __cplusplus
}
#endif
