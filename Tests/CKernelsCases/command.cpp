// The table as a program of its own, for machines where no Swift toolchain runs: prints what differs, exits with 1.
#include <cstdio>

#include "kernel_cases.h"

static void print_failure(void *context, const char *line) {
    ++*static_cast<int *>(context);
    std::printf("%s\n", line);
}

int main() {
    int failures = 0;
    for (int level = 0; level <= kernels_current_level(); level++) {
        const int before = failures;
        const int compared = kernel_cases_run(kernels_level(level), print_failure, &failures);
        std::printf("%s: %d results compared, %d differ\n", kernels_level_name(kernels_level(level)), compared,
                    failures - before);
    }
    return failures == 0 ? 0 : 1;
}
