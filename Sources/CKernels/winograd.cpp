#include "winograd.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define INLINE_LAMBDA __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

#define KERNEL_SOURCE "winograd.inc"
#include "every_level.h"

#if defined(__x86_64__)
#define DISPATCH(level, call)                              \
    switch (level) {                                       \
    case KERNELS_AVX512: return winograd_avx512::call;     \
    case KERNELS_AVX2: return winograd_avx2::call;         \
    default: return winograd_portable::call;               \
    }
#define NAME(level, name) winograd_##level::name
#define DISPATCH_SCHEME(level, scheme, name, ...)                                          \
    switch (level) {                                                                       \
    case KERNELS_AVX512: EVERY_SCHEME(winograd_avx512, scheme, name, __VA_ARGS__) break;   \
    case KERNELS_AVX2: EVERY_SCHEME(winograd_avx2, scheme, name, __VA_ARGS__) break;       \
    default: EVERY_SCHEME(winograd_portable, scheme, name, __VA_ARGS__) break;             \
    }
#else
#define DISPATCH(level, call) return (void)(level), winograd_portable::call
#define DISPATCH_SCHEME(level, scheme, name, ...) \
    (void)(level);                                \
    EVERY_SCHEME(winograd_portable, scheme, name, __VA_ARGS__)
#endif
#define EVERY_SCHEME(at, scheme, name, ...)                                      \
    switch (scheme) {                                                            \
    case WINOGRAD_CONVOLUTION_2: at::name<at::Convolution2>(__VA_ARGS__); break; \
    case WINOGRAD_CONVOLUTION_4: at::name<at::Convolution4>(__VA_ARGS__); break; \
    case WINOGRAD_TRANSPOSED: at::name<at::Transposed>(__VA_ARGS__); break;      \
    case WINOGRAD_STRIDED: at::name<at::Strided>(__VA_ARGS__); break;            \
    }

template <class S> static struct winograd_shape shape_of() {
    return {S::PATCH, S::STEP, S::POINTS, S::PRODUCTS, S::SUMS, S::RESULTS, S::TAPS};
}

struct winograd_shape winograd_shape(enum winograd_scheme scheme) {
    switch (scheme) {
    case WINOGRAD_CONVOLUTION_2: return shape_of<winograd_portable::Convolution2>();
    case WINOGRAD_CONVOLUTION_4: return shape_of<winograd_portable::Convolution4>();
    case WINOGRAD_TRANSPOSED: return shape_of<winograd_portable::Transposed>();
    case WINOGRAD_STRIDED: return shape_of<winograd_portable::Strided>();
    }
    return {};
}

// The index in a cube of `extent` of product `index`, one of `products` along each axis; `along` maps the index along
// one axis.
template <class Along> static int cube_index(int index, int products, int extent, Along along) {
    return (along(index / products / products) * extent + along(index / products % products)) * extent +
           along(index % products);
}

int winograd_point(enum winograd_scheme scheme, int index) {
    // Both phases of an upsampled voxel read the middle one of their three points.
    return scheme == WINOGRAD_TRANSPOSED ? cube_index(index, 6, 5, [](int p) { return 2 * (p / 3) + p % 3; }) : index;
}

int winograd_sum(enum winograd_scheme scheme, int index) {
    return scheme == WINOGRAD_STRIDED ? cube_index(index, 6, 3, [](int p) { return p % 3; }) : index;
}

void winograd_interleave(enum kernels_level level, const float *source, ptrdiff_t channel_stride, int channels,
                         int width, int before, int length, float *target) {
    DISPATCH(level, interleave(source, channel_stride, channels, width, before, length, target));
}

void winograd_forward(enum kernels_level level, enum winograd_scheme scheme, int tiles, int dilation,
                      const float *source, ptrdiff_t plane_stride, ptrdiff_t row_stride, float *points,
                      ptrdiff_t point_stride, ptrdiff_t tile_stride) {
    DISPATCH_SCHEME(level, scheme, forward, tiles, dilation, source, plane_stride, row_stride, points, point_stride,
                    tile_stride)
}

void winograd_forward_adjoint(enum kernels_level level, enum winograd_scheme scheme, int tiles, int dilation,
                              const float *source, ptrdiff_t plane_stride, ptrdiff_t row_stride, float *sums,
                              ptrdiff_t sum_stride, ptrdiff_t tile_stride) {
    DISPATCH_SCHEME(level, scheme, forward_adjoint, tiles, dilation, source, plane_stride, row_stride, sums, sum_stride,
                    tile_stride)
}

void winograd_inverse(enum kernels_level level, enum winograd_scheme scheme, int tiles, int dilation,
                      const float *sums, ptrdiff_t sum_stride, ptrdiff_t tile_stride,
                      const struct winograd_target *target) {
    DISPATCH_SCHEME(level, scheme, inverse, tiles, dilation, sums, sum_stride, tile_stride, *target)
}

void winograd_multiply(enum kernels_level level, int tiles, int inputs, int outputs, const float *points,
                       ptrdiff_t point_tile_stride, const float *weights, float *sums, ptrdiff_t sum_tile_stride,
                       int accumulates) {
    DISPATCH(level, multiply(tiles, inputs, outputs, points, point_tile_stride, weights, sums, sum_tile_stride,
                             accumulates != 0));
}

void winograd_multiply_adjoint(enum kernels_level level, int tiles, int inputs, int outputs, const float *points,
                               ptrdiff_t point_tile_stride, const float *sums, ptrdiff_t sum_tile_stride,
                               float *weights, int accumulates) {
    DISPATCH(level, multiply_adjoint(tiles, inputs, outputs, points, point_tile_stride, sums, sum_tile_stride, weights,
                                     accumulates != 0));
}

void winograd_transform_kernels(enum kernels_level level, enum winograd_scheme scheme,
                                const struct winograd_kernels *layout, int outputs, const float *kernels,
                                float *weights, ptrdiff_t product_stride) {
    DISPATCH_SCHEME(level, scheme, transform_kernels, *layout, outputs, kernels, weights, product_stride)
}

void winograd_transform_kernels_adjoint(enum kernels_level level, enum winograd_scheme scheme,
                                        const struct winograd_kernels *layout, int outputs, const float *weights,
                                        ptrdiff_t product_stride, float *kernels) {
    DISPATCH_SCHEME(level, scheme, transform_kernels_adjoint, *layout, outputs, weights, product_stride, kernels)
}
