// Included once per instruction set by the kernels that every_level.h compiles; no include guard on purpose.

// WIDTH floats or ints in one register; `loose` is a vector at any address, for loads and stores without alignment.
typedef float LEVEL(vector) __attribute__((vector_size(WIDTH * 4)));
typedef int LEVEL(lanes) __attribute__((vector_size(WIDTH * 4)));
typedef float LEVEL(loose) __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
#define VECTOR LEVEL(vector)
#define LANES LEVEL(lanes)
#define LOAD(p) ((VECTOR)(*(const LEVEL(loose) *)(p)))
#define STORE(p, v) (*(LEVEL(loose) *)(p) = (v))
