// Included once per instruction set by piecewise_linear.c through every_level.h; no include guard on purpose.

#include "vectors.h"
#include "piecewise_linear.inc"

static void LEVEL(apply)(struct piecewise_linear f, const float *x, float *y, long count, int adds) {
    long i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
        VECTOR value = LOAD(x + i);
        if (adds) value += LOAD(y + i);
        STORE(y + i, LEVEL(of_channel)(value, &f, 0));
    }
    if (i == count) return;
    // The last elements go through a whole vector, so that their results are those of the same kernel.
    const size_t rest = (size_t)(count - i) * sizeof *x;
    VECTOR value = {0}, before = {0};
    memcpy(&value, x + i, rest);
    memcpy(&before, y + i, rest);
    if (adds) value += before;
    value = LEVEL(of_channel)(value, &f, 0);
    memcpy(y + i, &value, rest);
}
