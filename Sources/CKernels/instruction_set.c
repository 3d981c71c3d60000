#include "instruction_set.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// -1: not yet asked. The only state of this library: it is written with a value that does not depend on who asks
// first.
static atomic_int chosen_level = -1;

static enum kernels_level processor_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
        return KERNELS_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return KERNELS_AVX2;
#endif
    return KERNELS_PORTABLE;
}

enum kernels_level kernels_current_level(void) {
    int level = atomic_load_explicit(&chosen_level, memory_order_relaxed);
    if (level >= 0) return (enum kernels_level)level;
    level = (int)processor_level();
    const char *wish = getenv("SEGDECK_INSTRUCTION_SET");
    if (wish != NULL) {
        int wished = level;
        if (strcmp(wish, "portable") == 0) wished = KERNELS_PORTABLE;
        if (strcmp(wish, "avx2") == 0) wished = KERNELS_AVX2;
        if (wished < level) level = wished;
    }
    atomic_store_explicit(&chosen_level, level, memory_order_relaxed);
    return (enum kernels_level)level;
}

const char *kernels_level_name(enum kernels_level level) {
    switch (level) {
    case KERNELS_AVX512: return "AVX-512";
    case KERNELS_AVX2: return "AVX2";
    default: break;
    }
#if defined(__aarch64__)
    return "NEON";
#else
    return "SSE2";
#endif
}
