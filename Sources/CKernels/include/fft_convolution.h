// Inner loops of 3D convolution by tiled overlap-save FFT, for kernels too large for direct summation.
//
// A tile of the input, depth x height x width floats, is transformed along z (real to half spectrum), y and x;
// the spectra of all input channels are multiplied by those of the weights and summed; the way back yields the
// part of the output that no wrapped-around value touches. The caller gives all memory, aligned to 64 bytes, and
// runs tiles, channels and planes in parallel as it likes: every function writes only what it is told to.
//
// Layouts, W being the vector width of the tile's level and a complex vector W real then W imaginary parts:
//   depth spectrum  [depth / 2 + 1] planes, each [rows][columns] complex vectors, lanes along x, values doubled
//   plane spectra   [height / W][width] frequencies, `step` floats apart, each [channel][tile] complex vectors, lanes
//                   along the frequencies of y: what one frequency's products need lies together
//   weight spectra  [plane][height * width / W][outputs][inputs] complex vectors, conjugated
// A depth spectrum may hold only the first rows and columns, when the rest is zero or not asked for. Where a function
// takes the `next` plane that it will be called with, it fetches that plane into the caches meanwhile.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "instruction_set.h"

#ifdef __cplusplus
extern "C" {
#endif

// Extents of a transform and the instructions that it uses; all memory of one computation has one such layout.
struct fft_tile {
    int depth, height, width;
    enum kernels_level level;
};

// The transform lengths that exist along z, and along y and x (multiples of every vector width), in ascending
// order; `count` receives how many.
const int *fft_depths(int *count);
const int *fft_widths(int *count);

// Floats in one vector at a level.
int fft_vector_width(enum kernels_level level);

// Which voxels of a tile exist: the half-open ranges along z, y, x; the others count as zero.
struct fft_box {
    int z_begin, z_end, y_begin, y_end, x_begin, x_end;
};

// Transforms a real tile along z. `voxels` is where the tile's voxel (0, 0, 0) lies or would lie; only voxels of
// `box` are read. Writes `rows` (rounded up to even) rows of `columns` vectors in planes `plane_stride` floats apart.
void fft_forward_depth(const struct fft_tile *tile, const float *voxels, ptrdiff_t slice_stride,
                       ptrdiff_t row_stride, const struct fft_box *box, int rows, int columns, float *planes,
                       ptrdiff_t plane_stride);

// How the result of an inverse transform along z is stored.
struct fft_store {
    int skip;                  // slices before the first that is stored
    int depth, height, width;  // voxels stored
    float scale, bias;         // voxel = scale * value + bias
    bool rectifies;            // then max(voxel, 0)
    bool pools;                // then the largest of every 2 x 2 x 2 voxels from the first on, and of what is left
};

// Transforms a depth spectrum of `columns` vectors a row back along z and stores voxels.
void fft_inverse_depth(const struct fft_tile *tile, const float *planes, ptrdiff_t plane_stride, int columns,
                       const struct fft_store *store, float *voxels, ptrdiff_t slice_stride, ptrdiff_t row_stride);

// Transforms one plane of a depth spectrum along y and x. `spectrum` is where the first frequency goes, the others
// follow `step` floats apart. `scratch` holds 2 * height * width floats.
void fft_forward_plane(const struct fft_tile *tile, const float *plane, const float *next, int rows, int columns,
                       float *spectrum, ptrdiff_t step, float *scratch);

// Transforms a plane spectrum back along x and y, and keeps `rows` rows after the first `skip_rows` and `columns`
// vectors after the first `skip_columns` lanes. Rows beyond the tile become zero.
void fft_inverse_plane(const struct fft_tile *tile, const float *spectrum, ptrdiff_t step, int skip_rows, int rows,
                       int skip_columns, int columns, float *plane, const float *next, float *scratch);

// Which spectra a product joins. At each frequency the complex vector of channel c and tile t is the
// (c * tiles + t)th; frequencies are `step` floats apart.
struct fft_channels {
    int inputs, outputs, tiles;
    ptrdiff_t step;
};

// results[o][t] = sum over i of sources[i][t] * weights[o][i], for one plane of the weight spectra, and its adjoint,
// results[i][t] = sum over o of sources[o][t] * conj(weights[o][i]). The sources start `step` floats after `spectra`,
// the results, which replace them, at `spectra`.
void fft_multiply(const struct fft_tile *tile, const struct fft_channels *channels, const float *weights,
                  float *spectra);
void fft_multiply_adjoint(const struct fft_tile *tile, const struct fft_channels *channels, const float *weights,
                          float *spectra);

// sums[o][i] (+)= sum over t of inputs[i][t] * conj(outputs[o][t]), laid out as one plane of weight spectra. `spectra`
// holds the channels of the inputs, then those of the outputs.
void fft_accumulate(const struct fft_tile *tile, const struct fft_channels *channels, const float *spectra,
                    float *sums, bool adds);

// Copies `count` plane spectra, `stride` floats apart, conjugated into channel pairs first... of `pairs` of one plane
// of weight spectra, and back without conjugation.
void fft_put_weights(const struct fft_tile *tile, const float *spectra, ptrdiff_t stride, int count, int first,
                     int pairs, float *weights);
void fft_get_weights(const struct fft_tile *tile, const float *weights, int first, int pairs, float *spectra,
                     ptrdiff_t stride, int count);

#ifdef __cplusplus
}
#endif
