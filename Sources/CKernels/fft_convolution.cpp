#include "fft_convolution.h"

#include <utility>

namespace {

// Every transform length N = A x B. Both factors have a codelet.
template <int N> struct Factors;
#define FACTORS(n, a, b) \
    template <> struct Factors<n> { static constexpr int A = a, B = b; };
FACTORS(8, 2, 4)
FACTORS(12, 3, 4)
FACTORS(16, 4, 4)
FACTORS(20, 5, 4)
FACTORS(24, 4, 6)
FACTORS(32, 4, 8)
FACTORS(36, 6, 6)
FACTORS(40, 5, 8)
FACTORS(48, 6, 8)
FACTORS(60, 6, 10)
FACTORS(64, 8, 8)
FACTORS(80, 8, 10)
FACTORS(96, 8, 12)

#define FOR_EACH_DEPTH(f) \
    f(8) f(12) f(16) f(20) f(24) f(32) f(36) f(40) f(48) f(60) f(64) f(80)
#define FOR_EACH_WIDTH(f) f(16) f(32) f(48) f(64) f(80) f(96)

constexpr double pi = 3.14159265358979323846264338327950288;

// sin(x) for |x| <= pi / 4 by its Taylor series; the tables are built by the compiler.
constexpr double small_sine(double x) {
    double term = x, sum = x;
    for (int n = 1; n < 12; n++) {
        term *= -x * x / ((2 * n) * (2 * n + 1));
        sum += term;
    }
    return sum;
}

constexpr double small_cosine(double x) {
    double term = 1, sum = 1;
    for (int n = 1; n < 12; n++) {
        term *= -x * x / ((2 * n - 1) * (2 * n));
        sum += term;
    }
    return sum;
}

// cos(2 pi n / N), reduced by quarter turns in whole numbers so that it is exact to rounding.
constexpr double cosine_of_turn(int n, int N) {
    n %= N;
    const int quarter = (8 * n + N) / (2 * N);  // nearest quarter turn
    const double rest = 2 * pi * (4 * n - quarter * N) / (4.0 * N);
    switch (quarter % 4) {
    case 0: return small_cosine(rest);
    case 1: return -small_sine(rest);
    case 2: return -small_cosine(rest);
    default: return small_sine(rest);
    }
}

// Factors between the two steps of a transform: exp(-2 pi i j k / N).
template <int N> struct Twiddles {
    float cosine[Factors<N>::B][Factors<N>::A], sine[Factors<N>::B][Factors<N>::A];

    constexpr Twiddles() : cosine(), sine() {
        for (int j = 0; j < Factors<N>::B; j++)
            for (int k = 0; k < Factors<N>::A; k++) {
                cosine[j][k] = float(cosine_of_turn(j * k, N));
                sine[j][k] = float(cosine_of_turn(4 * j * k + N, 4 * N));  // -sin a = cos(a + quarter turn)
            }
    }
    static const Twiddles table;
};
template <int N> constexpr Twiddles<N> Twiddles<N>::table = Twiddles<N>();

#define LIST(n) n,
constexpr int depths[] = {FOR_EACH_DEPTH(LIST)};
constexpr int widths[] = {FOR_EACH_WIDTH(LIST)};
constexpr int longest_width = widths[sizeof(widths) / sizeof(widths[0]) - 1];
#undef LIST

}  // namespace

#define KERNEL_SOURCE "fft_convolution.inc"
#include "every_level.h"

#if defined(__x86_64__)
#define DISPATCH(tile, call)                          \
    switch ((tile)->level) {                          \
    case KERNELS_AVX512: return fft_avx512::call;     \
    case KERNELS_AVX2: return fft_avx2::call;         \
    default: return fft_portable::call;               \
    }
#else
#define DISPATCH(tile, call) return fft_portable::call
#endif

const int *fft_depths(int *count) {
    *count = sizeof(depths) / sizeof(depths[0]);
    return depths;
}

const int *fft_widths(int *count) {
    *count = sizeof(widths) / sizeof(widths[0]);
    return widths;
}

int fft_vector_width(enum kernels_level level) { return 4 << int(level); }

void fft_forward_depth(const struct fft_tile *tile, const float *voxels, ptrdiff_t slice_stride,
                       ptrdiff_t row_stride, const struct fft_box *box, int rows, int columns, float *planes,
                       ptrdiff_t plane_stride) {
    DISPATCH(tile, forward_depth(tile, voxels, slice_stride, row_stride, box, rows, columns, planes, plane_stride));
}

void fft_inverse_depth(const struct fft_tile *tile, const float *planes, ptrdiff_t plane_stride, int columns,
                       const struct fft_store *store, float *voxels, ptrdiff_t slice_stride, ptrdiff_t row_stride) {
    DISPATCH(tile, inverse_depth(tile, planes, plane_stride, columns, store, voxels, slice_stride, row_stride));
}

void fft_forward_height(const struct fft_tile *tile, const float *planes, ptrdiff_t plane_stride, int plane_count,
                        int rows, int columns, float *frequency_rows, ptrdiff_t frequency_row_stride) {
    DISPATCH(tile, forward_height(tile, planes, plane_stride, plane_count, rows, columns, frequency_rows,
                                  frequency_row_stride));
}

void fft_inverse_height(const struct fft_tile *tile, const float *frequency_rows, ptrdiff_t frequency_row_stride,
                        int plane_count,
                        int skip, int rows, int columns, float *planes, ptrdiff_t plane_stride) {
    DISPATCH(tile, inverse_height(tile, frequency_rows, frequency_row_stride, plane_count, skip, rows, columns,
                                  planes, plane_stride));
}

void fft_forward_width(const struct fft_tile *tile, const float *frequency_row, int count, float *spectrum,
                       ptrdiff_t step) {
    DISPATCH(tile, forward_width(tile, frequency_row, count, spectrum, step));
}

void fft_inverse_width(const struct fft_tile *tile, const float *spectrum, ptrdiff_t step, int skip, int count,
                       float *frequency_row) {
    DISPATCH(tile, inverse_width<false>(tile, spectrum, step, skip, count, frequency_row));
}

void fft_inverse_width_adding(const struct fft_tile *tile, const float *spectrum, ptrdiff_t step, int count,
                              float *frequency_row) {
    DISPATCH(tile, inverse_width<true>(tile, spectrum, step, 0, count, frequency_row));
}

void fft_multiply(const struct fft_tile *tile, const struct fft_channels *channels, const float *weights,
                  const float *sources, float *results) {
    DISPATCH(tile, multiply<false>(tile, channels, weights, sources, results));
}

void fft_multiply_adjoint(const struct fft_tile *tile, const struct fft_channels *channels, const float *weights,
                          const float *sources, float *results) {
    DISPATCH(tile, multiply<true>(tile, channels, weights, sources, results));
}

void fft_accumulate(const struct fft_tile *tile, const struct fft_channels *channels, const float *inputs,
                    const float *outputs, float *sums) {
    DISPATCH(tile, accumulate(tile, channels, inputs, outputs, sums));
}
