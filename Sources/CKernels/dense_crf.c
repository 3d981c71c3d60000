#include "dense_crf.h"

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
