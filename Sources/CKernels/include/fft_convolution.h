// Inner loops of 3D convolution by tiled overlap-save FFT, for kernels too large for direct summation.
//
// A tile of the input, depth x height x width floats, is transformed along z (real to half spectrum), y and x;
// the spectra of all input channels are multiplied by those of the weights and summed; the inverse transforms yield
// the part of the output that no wrapped-around value affects. The caller provides all memory, aligned to 64 bytes, and
// may run tiles, channels and planes in parallel: every function writes only its own outputs.
//
// Layouts, W being the vector width of the tile's level and a complex vector W real then W imaginary parts:
//   depth spectrum    [depth / 2 + 1] planes, each [rows][columns] complex vectors, lanes along x, values doubled
//   frequency rows    [depth / 2 + 1][height / W], each [x] complex vectors, lanes along the frequencies of y
//   row spectra       of one frequency row [width] frequencies, `step` floats apart, each [channel][tile] complex
//                     vectors: the operands of one frequency's products are contiguous
//   weight spectra    of one frequency row [width][outputs][inputs] complex vectors
// A depth spectrum and a frequency row may hold only the first rows and columns, when the rest is zero or not asked
// for.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "instruction_set.h"
#include "piecewise_linear.h"

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
    struct piecewise_linear activation;  // then this function of it, with its first slope
    bool pools;                // then the largest of every 2 x 2 x 2 voxels from the first on, and of what is left
    bool adds;                 // whether the voxel in memory is added before the activation; without pooling
};

// Transforms a depth spectrum of `columns` vectors a row back along z and stores voxels.
void fft_inverse_depth(const struct fft_tile *tile, const float *planes, ptrdiff_t plane_stride, int columns,
                       const struct fft_store *store, float *voxels, ptrdiff_t slice_stride, ptrdiff_t row_stride);

// Transforms `plane_count` planes of a depth spectrum of `rows` rows along y into frequency rows
// `frequency_row_stride` floats apart.
void fft_forward_height(const struct fft_tile *tile, const float *planes, ptrdiff_t plane_stride, int plane_count,
                        int rows, int columns, float *frequency_rows, ptrdiff_t frequency_row_stride);

// Transforms the frequency rows of `plane_count` planes back along y and keeps `rows` rows after the first `skip`. Rows
// beyond the tile become zero.
void fft_inverse_height(const struct fft_tile *tile, const float *frequency_rows, ptrdiff_t frequency_row_stride,
                        int plane_count, int skip, int rows, int columns, float *planes, ptrdiff_t plane_stride);

// Transforms one frequency row along x; its first `count` voxels are read and the others count as zero. The first
// frequency is written to `spectrum`, the others follow `step` floats apart.
void fft_forward_width(const struct fft_tile *tile, const float *frequency_row, int count, float *spectrum,
                       ptrdiff_t step);

// Transforms the spectrum of a frequency row back along x and keeps `count` voxels after the first `skip`, or adds the
// first `count` to the memory.
void fft_inverse_width(const struct fft_tile *tile, const float *spectrum, ptrdiff_t step, int skip, int count,
                       float *frequency_row);
void fft_inverse_width_adding(const struct fft_tile *tile, const float *spectrum, ptrdiff_t step, int count,
                              float *frequency_row);

// The layout of the spectra of a product. At each frequency the complex vector of channel c and tile t is the
// (c * tiles + t)th; the frequencies of what is multiplied are `source_step` floats apart, those of the results
// `result_step`.
struct fft_channels {
    int inputs, outputs, tiles;  // input channels, output channels, tiles
    ptrdiff_t source_step, result_step;
};

// results[o][t] = sum over i of sources[i][t] * conj(weights[o][i]), for one frequency row of the weight spectra, and
// its adjoint, results[i][t] = sum over o of sources[o][t] * weights[o][i].
void fft_multiply(const struct fft_tile *tile, const struct fft_channels *channels, const float *weights,
                  const float *sources, float *results);
void fft_multiply_adjoint(const struct fft_tile *tile, const struct fft_channels *channels, const float *weights,
                          const float *sources, float *results);

// sums[o][i] = sum over t of inputs[i][t] * conj(outputs[o][t]), laid out as one frequency row of weight spectra.
void fft_accumulate(const struct fft_tile *tile, const struct fft_channels *channels, const float *inputs,
                    const float *outputs, float *sums);

#ifdef __cplusplus
}
#endif
