// Which vector instructions the kernels of this library use, chosen once at run time.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// Widths in order; a higher level implies the lower ones. NEON is the portable level on arm64.
enum kernels_level {
    KERNELS_PORTABLE = 0,  // 128-bit vectors: SSE2 on x86-64, NEON on arm64
    KERNELS_AVX2 = 1,      // 256-bit vectors with fused multiply-add
    KERNELS_AVX512 = 2,    // 512-bit vectors
};

// The highest level that this processor has, lowered by the environment variable SEGDECK_INSTRUCTION_SET
// ("portable", "avx2", "avx512") when the process starts.
enum kernels_level kernels_current_level(void);

// "SSE2", "NEON", "AVX2" or "AVX-512".
const char *kernels_level_name(enum kernels_level level);

#ifdef __cplusplus
}
#endif
