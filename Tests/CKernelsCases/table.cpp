#include "table.h"

namespace kernel_cases {

void instruction_set_cases(Table &table) {
    const enum kernels_level level = table.level;
    table.require("the level is one that the processor has", level <= kernels_current_level());
    const std::string name = kernels_level_name(level);
#if defined(__aarch64__)
    table.require("arm64 has NEON", level == KERNELS_PORTABLE && name == "NEON");
#else
    const char *names[] = {"SSE2", "AVX2", "AVX-512"};
    table.require("the level has its name", name == names[level]);
#endif
}

}  // namespace kernel_cases

int kernel_cases_run(enum kernels_level level, kernel_case_failure failed, void *context) {
    kernel_cases::Table table(level, failed, context);
    kernel_cases::instruction_set_cases(table);
    kernel_cases::gemm_cases(table);
    kernel_cases::pointwise_cases(table);
    kernel_cases::activation_cases(table);
    kernel_cases::piecewise_linear_cases(table);
    kernel_cases::pooling_cases(table);
    kernel_cases::elementwise_cases(table);
    kernel_cases::fft_convolution_cases(table);
    kernel_cases::dense_crf_cases(table);
    kernel_cases::winograd_cases(table);
    kernel_cases::transposed_convolution_cases(table);
    return table.compared;
}
