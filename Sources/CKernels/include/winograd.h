// Winograd convolutions (minimal filtering) with small kernels: the passes between activations, which are planar, and
// the products of transformed values, whose lanes are channels. docs/algorithms/winograd.md explains them.
//
// Values in between lie in blocks of WINOGRAD_LANES channels: sources as [block][z][y][x][lane], transformed ones as
// [point][tile][channel]. Every function takes the level to run at.
#pragma once

#include <stddef.h>

#include "instruction_set.h"
#include "piecewise_linear.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    WINOGRAD_LANES = 16,             // channels of a block, at every level
    WINOGRAD_MAXIMUM_DILATION = 16,  // along x
};

// What is computed, three-dimensionally, with zeros beyond the source's ends:
enum winograd_scheme {
    WINOGRAD_CONVOLUTION_2 = 0,  // 3^3 taps, padding 1: 2^3 results of a tile from 4^3 values, F(2, 3)
    WINOGRAD_CONVOLUTION_4 = 1,  // the same with 4^3 results from 6^3 values, F(4, 3)
    WINOGRAD_TRANSPOSED = 2,     // transposed, 4^3 taps, stride 2, padding 1: 4^3 results from 4^3 values, F(2, 2)
    WINOGRAD_STRIDED = 3,        // its adjoint, 4^3 taps, stride 2, padding 1: 2^3 results from 6^3 values
};

// Numbers along one axis; a tile's are their cubes.
struct winograd_shape {
    int patch;     // values of the source that a tile reads, the first one before its own
    int step;      // from one tile's to the next one's
    int points;    // transformed values
    int products;  // products, each of a transformed value and a transformed weight
    int sums;      // transformed results
    int results;   // results
    int taps;      // of the kernel
};
struct winograd_shape winograd_shape(enum winograd_scheme scheme);

// The transformed value that product `index`, 0 ..< products^3, reads, and the transformed result it adds to.
int winograd_point(enum winograd_scheme scheme, int index);
int winograd_sum(enum winograd_scheme scheme, int index);

// Brings a row of a block of channels into lanes: target[x][lane] = source[lane * channel_stride + x - before] for
// x in 0 ..< length, zero where that lies outside 0 ..< width or lane outside 0 ..< channels; before is not negative.
void winograd_interleave(enum kernels_level level, const float *source, ptrdiff_t channel_stride, int channels,
                         int width, int before, int length, float *target);

// Where taps are `dilation` voxels apart along x, 1 ... WINOGRAD_MAXIMUM_DILATION, a row is as many interleaved grids,
// which have tiles of their own: tile number `tile` of a row is number tile / dilation of grid tile % dilation.
// Dilation along y and z is a matter of strides.

// Transforms the patches of `tiles` tiles along x: points[point * point_stride + tile * tile_stride + lane].
void winograd_forward(enum kernels_level level, enum winograd_scheme scheme, int tiles, int dilation,
                      const float *source, ptrdiff_t plane_stride, ptrdiff_t row_stride, float *points,
                      ptrdiff_t point_stride, ptrdiff_t tile_stride);

// The adjoint of winograd_inverse without bias: transforms a gradient of results. source[x][lane] as for a tile's
// own results^3 values.
void winograd_forward_adjoint(enum kernels_level level, enum winograd_scheme scheme, int tiles, int dilation,
                              const float *source, ptrdiff_t plane_stride, ptrdiff_t row_stride, float *sums,
                              ptrdiff_t sum_stride, ptrdiff_t tile_stride);

// Where results go: planar, the voxel (0, 0, 0) of a row of tiles at `voxels`.
struct winograd_target {
    float *voxels;
    ptrdiff_t channel_stride, plane_stride, row_stride;
    int channels;               // of the block that exist
    int first_plane, planes;    // of the tiles' planes those that are written: first_plane ..< planes
    int rows, width;            // of the tiles' rows and columns
    const float *bias;          // one per lane
    struct piecewise_linear activation;  // of results, with one slope per lane
    // Whether a 2x2x2 max-pooling is fused, without dilation: only maxima are written, and planes, rows and columns are
    // theirs.
    int pools;
    // Whether voxels are added to results before the activation; without pooling.
    int adds;
};

// Transforms sums[sum * sum_stride + tile * tile_stride + lane] of `tiles` tiles along x back into voxels.
void winograd_inverse(enum kernels_level level, enum winograd_scheme scheme, int tiles, int dilation,
                      const float *sums, ptrdiff_t sum_stride, ptrdiff_t tile_stride,
                      const struct winograd_target *target);

// sums[tile][output] (+)= points[tile][input] * weights[input][output] at one point, where `outputs` is a multiple of
// WINOGRAD_LANES and weights lie in blocks of 2 WINOGRAD_LANES outputs, [outputs / 32][inputs][32], the last of which
// may be one of WINOGRAD_LANES.
void winograd_multiply(enum kernels_level level, int tiles, int inputs, int outputs, const float *points,
                       ptrdiff_t point_tile_stride, const float *weights, float *sums, ptrdiff_t sum_tile_stride,
                       int accumulates);

// The adjoint with respect to the weights: weights[input][output] (+)= points[tile][input] * sums[tile][output].
void winograd_multiply_adjoint(enum kernels_level level, int tiles, int inputs, int outputs, const float *points,
                               ptrdiff_t point_tile_stride, const float *sums, ptrdiff_t sum_tile_stride,
                               float *weights, int accumulates);

// Kernels as they lie in memory: tap t of the pair (input, output) at input * input_stride + output * output_stride +
// t, or at the last tap less t.
struct winograd_kernels {
    ptrdiff_t input_stride, output_stride;
    int is_flipped;
};

// Transforms the kernels of one input and `outputs` outputs, at most WINOGRAD_LANES: weights[product *
// product_stride + lane], zero in lanes beyond.
void winograd_transform_kernels(enum kernels_level level, enum winograd_scheme scheme,
                                const struct winograd_kernels *layout, int outputs, const float *kernels,
                                float *weights, ptrdiff_t product_stride);

// The adjoint: the gradient of the kernels from that of the transformed weights.
void winograd_transform_kernels_adjoint(enum kernels_level level, enum winograd_scheme scheme,
                                        const struct winograd_kernels *layout, int outputs, const float *weights,
                                        ptrdiff_t product_stride, float *kernels);

#ifdef __cplusplus
}
#endif
