// Every kernel of CKernels over a table of shapes, beside plain loops in double precision.
#pragma once

#include "instruction_set.h"

#ifdef __cplusplus
extern "C" {
#endif

// Receives one line about a case whose result is not what the plain loops give.
typedef void (*kernel_case_failure)(void *context, const char *line);

// Runs the whole table at `level`, which the processor must have, and returns how many results were compared.
int kernel_cases_run(enum kernels_level level, kernel_case_failure failed, void *context);

#ifdef __cplusplus
}
#endif
