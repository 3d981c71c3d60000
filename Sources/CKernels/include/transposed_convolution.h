// Transposed convolution of kernel 3, stride 2 and padding 1 along every axis, in polyphase form,
// without inserted zeros: output 2i is tap 1 at input i, output 2i + 1 is tap 2 at input i plus tap 0 at input i + 1.
#pragma once

#include "instruction_set.h"
#include "piecewise_linear.h"

#ifdef __cplusplus
extern "C" {
#endif

// Outputs that one call makes together, and by which weights are interleaved.
enum { TRANSPOSED_CONVOLUTION_OUTPUTS = 2 };

// The four output rows (2z, 2y), (2z, 2y + 1), (2z + 1, 2y), (2z + 1, 2y + 1) of up to two outputs, from the input
// rows (z, y), (z, y + 1), (z + 1, y), (z + 1, y + 1).
struct transposed_convolution_rows {
    int inputs, width;               // channels and columns of the input
    const float *source[4];          // the input rows of the first channel; rows of zeros outside the input
    long source_stride[4];           // floats from each to that of the next channel; 0 for rows of zeros
    const float *weights;            // [inputs][27][2], taps in the order of transposed_convolution_tap_order
    float bias[2];                   // of each output
    float *result[2][4];             // the output rows; NULL for rows that are not computed
    int result_width;                // 2 * width or one less
    struct piecewise_linear activation;  // of results, with one slope for each output
};
void transposed_convolution_make_rows(enum kernels_level level, const struct transposed_convolution_rows *rows);

// The tap (z, y, x), x fastest, of weight `index` in the order of the weights.
int transposed_convolution_tap_order(int index);

// Fetches lines `first` ..< `last` of 16 floats into the second cache level, of runs of `length` lines
// that start `stride` floats apart, the first at `start`. The memory is only prefetched and need not exist.
void transposed_convolution_fetch(const float *start, long stride, long length, long first, long last);

// even[i] = row[2i] and odd[i] = row[2i + 1] of `length` values, and their sum in single precision within blocks
// of 1024, in double between them.
double transposed_convolution_split(enum kernels_level level, const float *row, int length, float *even, float *odd);

#ifdef __cplusplus
}
#endif
