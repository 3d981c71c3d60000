#include "dense_crf.h"

#include <math.h>
#include <string.h>

#define KERNEL_SOURCE "dense_crf_kernels.inc"
#include "every_level.h"

const struct dense_crf_kernels *dense_crf_kernels_for(enum kernels_level level) {
#if defined(__x86_64__)
    if (level == KERNELS_AVX512) return &table_avx512;
    if (level == KERNELS_AVX2) return &table_avx2;
#endif
    (void)level;
    return &table_portable;
}

size_t dense_crf_scratch_floats(const struct dense_crf_pass *pass) {
    size_t stride = (pass->row.count + 15) / 16 * 16;
    const struct dense_crf_plane *planes[2] = {&pass->appearance, &pass->smoothness};
    size_t cells = 0;
    for (size_t i = 0; i < 2; i++) cells += 2 * (planes[i]->step * planes[i]->row_floats + planes[i]->slack);
    return stride * (4 * pass->row.channels + 1) + 4 * (stride + 48) + cells;
}
