#include "gemm.h"
#include "instruction_set.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

static int smaller(int a, int b) { return a < b ? a : b; }

// A run of a panel's columns that lie in one row of the output grid.
struct gather_segment {
    int position, length;  // in the panel
    int z, y, x;           // in the source, before a tap's offset
};

static int gather_segments(const struct gemm_gather *gather, long first_column, int columns,
                           struct gather_segment *segments) {
    int count = 0, position = 0;
    int x = (int)(first_column % gather->grid_width);
    long row = first_column / gather->grid_width;
    int y = (int)(row % gather->grid_height), z = (int)(row / gather->grid_height);
    while (position < columns) {
        int length = smaller(columns - position, gather->grid_width - x);
        segments[count++] = (struct gather_segment){position, length, z * gather->step_z,
                                                    y * gather->step_y, x * gather->step_x};
        position += length;
        x = 0;
        if (++y == gather->grid_height) {
            y = 0;
            z++;
        }
    }
    return count;
}

#define KERNEL_SOURCE "gemm_kernel.h"
#include "every_level.h"

int gemm_panel_columns(enum kernels_level level) {
    switch (level) {
    case KERNELS_AVX512: return 48;
    case KERNELS_AVX2: return 24;
    case KERNELS_PORTABLE: return 12;
    }
    return 12;
}

void gemm_multiply_panel(enum kernels_level level, const struct gemm_panel *panel) {
    DISPATCH_LEVEL(level, multiply_panel, panel);
}

void gemm_gather_panel(enum kernels_level level, const struct gemm_gather *gather, long first_column,
                       int columns, int first_row, int last_row, float *panel, long stride) {
    DISPATCH_LEVEL(level, gather_panel, gather, first_column, columns, first_row, last_row, panel, stride);
}

void gemm_multiply_transposed(enum kernels_level level, int left_rows, int right_rows, int length,
                              const float *left, long left_stride, const float *right, const long *right_offsets,
                              float *result, long result_stride) {
    DISPATCH_LEVEL(level, multiply_transposed, left_rows, right_rows, length, left, left_stride, right,
             right_offsets, result, result_stride);
}
