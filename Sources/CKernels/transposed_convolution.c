#include "transposed_convolution.h"

#include <stddef.h>
#include <string.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

// Along one axis, for each of the three products of a voxel: the phase (parity) of the output, the distance of the
// input, the tap.
static const int phase_of[3] = {0, 1, 1};
static const int distance_of[3] = {0, 0, 1};
static const int tap_of[3] = {1, 2, 0};

int transposed_convolution_tap_order(int index) {
    return (tap_of[index / 9] * 3 + tap_of[index / 3 % 3]) * 3 + tap_of[index % 3];
}

#define KERNEL_SOURCE "transposed_convolution_kernel.h"
#include "every_level.h"

void transposed_convolution_make_rows(enum kernels_level level, const struct transposed_convolution_rows *rows) {
    DISPATCH_LEVEL(level, make_rows, rows);
}

void transposed_convolution_fetch(const float *start, long stride, long length, long first, long last) {
    long run = first / length, line = first % length;
    for (; first < last; first++) {
        __builtin_prefetch(start + run * stride + line * 16, 0, 2);
        if (++line == length) {
            line = 0;
            run++;
        }
    }
}

double transposed_convolution_split(enum kernels_level level, const float *row, int length, float *even, float *odd) {
    double sum = 0;
    DISPATCH_LEVEL(level, split, row, length, even, odd, &sum);
    return sum;
}
