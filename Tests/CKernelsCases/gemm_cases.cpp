#include "gemm.h"

#include "activation_of_results.h"
#include "table.h"

namespace kernel_cases {
namespace {

// Sums are compared at the rounding of `depth` products.
double product_tolerance(int depth) { return 1e-6 + 2e-8 * depth; }

void panel_case(Table &table, int rows, int columns, int depth, bool has_bias, bool accumulates, int which) {
    Random random(uint64_t(rows * 10007 + columns * 101 + depth));
    const int blocks = (rows + GEMM_ROWS - 1) / GEMM_ROWS;
    const long a_block = long(depth) * GEMM_ROWS + 16, stride = columns + 5;
    const ResultActivation activation(which, blocks * GEMM_ROWS);
    Floats a(size_t(blocks * a_block)), bias(size_t(blocks * GEMM_ROWS), random);
    for (int r = 0; r < rows; r++)
        for (int k = 0; k < depth; k++)
            a[size_t(r / GEMM_ROWS * a_block + k * GEMM_ROWS + r % GEMM_ROWS)] = random.uniform(-1, 1);
    Floats b(size_t(3 * depth + gemm_panel_columns(table.level)), random);
    std::vector<long> b_rows;
    // Rows that overlap, in no order.
    for (int k = 0; k < depth; k++) b_rows.push_back(random.below(3 * depth));
    Floats c(size_t(rows * stride), random);
    std::vector<double> expected;
    for (int r = 0; r < rows; r++)
        for (int j = 0; j < stride; j++) {
            const double before = c[size_t(r * stride + j)];
            double sum = (accumulates ? before : 0) + (has_bias ? double(bias[size_t(r)]) : 0);
            for (int k = 0; k < depth; k++)
                sum += double(a[size_t(r / GEMM_ROWS * a_block + k * GEMM_ROWS + r % GEMM_ROWS)]) *
                       b[size_t(b_rows[size_t(k)] + j % columns)];
            expected.push_back(j < columns ? activation(sum, r) : before);  // what lies after a row stays
        }
    const struct gemm_panel panel = {rows,     columns, depth,  a.data(), a_block,
                                     b.data(), b_rows.data(), c.data(), stride,
                                     has_bias ? bias.data() : nullptr, accumulates, activation.kernel()};
    gemm_multiply_panel(table.level, &panel);
    table.compare(named("gemm_multiply_panel", {rows, columns, depth}), c.data(), expected, product_tolerance(depth));
}

struct Axis {
    int extent, taps, step, dilation, padding;
    int grid() const { return (extent + 2 * padding - dilation * (taps - 1) - 1) / step + 1; }
};

void gather_case(Table &table, Axis z, Axis y, Axis x, int channels) {
    Random random(11);
    const long plane = long(z.extent) * y.extent * x.extent, channel_stride = plane + 7;
    Floats source(size_t(channels * channel_stride), random);
    std::vector<int> offsets[3];
    const Axis axes[] = {z, y, x};
    for (int axis = 0; axis < 3; axis++)
        for (int tap = 0; tap < axes[axis].taps; tap++)
            offsets[axis].push_back(tap * axes[axis].dilation - axes[axis].padding);
    const int rows = channels * z.taps * y.taps * x.taps, all = z.grid() * y.grid() * x.grid();
    const int first_row = rows > 3 ? 2 : 0, columns = all < 300 ? all : 300, first_column = (all - columns) / 2;
    // The first plane that any of the columns reaches: none before it is held.
    const int reached = first_column / (y.grid() * x.grid()) * z.step + offsets[0][0];
    const int first_plane = reached > 0 ? reached : 0;
    const struct gemm_gather gather = {
        source.data() + long(first_plane) * y.extent * x.extent, channel_stride, first_plane,
        z.extent, y.extent, x.extent, y.grid(), x.grid(), z.step, y.step, x.step,
        z.taps, y.taps, x.taps, offsets[0].data(), offsets[1].data(), offsets[2].data()};
    const long stride = columns + 3;
    Floats panel(size_t((rows - first_row) * stride), -7);
    std::vector<double> expected(panel.size(), -7);
    for (int row = first_row; row < rows; row++)
        for (int j = 0; j < columns; j++) {
            const int column = first_column + j, channel = row / (z.taps * y.taps * x.taps);
            const int sz = column / (y.grid() * x.grid()) * z.step + offsets[0][size_t(row / (y.taps * x.taps) % z.taps)];
            const int sy = column / x.grid() % y.grid() * y.step + offsets[1][size_t(row / x.taps % y.taps)];
            const int sx = column % x.grid() * x.step + offsets[2][size_t(row % x.taps)];
            const bool is_inside = sz >= 0 && sz < z.extent && sy >= 0 && sy < y.extent && sx >= 0 && sx < x.extent;
            expected[size_t((row - first_row) * stride + j)] =
                is_inside ? source[size_t(channel * channel_stride + (long(sz) * y.extent + sy) * x.extent + sx)] : 0;
        }
    gemm_gather_panel(table.level, &gather, first_column, columns, first_row, rows, panel.data(), stride);
    table.compare(named("gemm_gather_panel", {x.extent, x.taps, x.step, x.dilation}), panel.data(), expected, 0);
}

void transposed_case(Table &table, int left_rows, int right_rows, int length) {
    Random random(13);
    const long left_stride = length + 3, result_stride = right_rows + 2;
    Floats left(size_t(left_rows * left_stride), random), right(size_t(3 * length), random);
    std::vector<long> offsets;
    // Rows that overlap, in no order.
    for (int k = 0; k < right_rows; k++) offsets.push_back(random.below(2 * length));
    Floats result(size_t(left_rows * result_stride), random);
    std::vector<double> expected;
    for (int i = 0; i < left_rows; i++)
        for (int k = 0; k < result_stride; k++) {
            double sum = result[size_t(i * result_stride + k)];
            for (int p = 0; k < right_rows && p < length; p++)
                sum += double(left[size_t(i * left_stride + p)]) * right[size_t(offsets[size_t(k)] + p)];
            expected.push_back(sum);
        }
    gemm_multiply_transposed(table.level, left_rows, right_rows, length, left.data(), left_stride, right.data(),
                             offsets.data(), result.data(), result_stride);
    table.compare(named("gemm_multiply_transposed", {left_rows, right_rows, length}), result.data(), expected,
                  product_tolerance(length));
}

}  // namespace

void gemm_cases(Table &table) {
    const int full = gemm_panel_columns(table.level);
    table.require("gemm_panel_columns is three vectors", full == 3 * table.width());
    for (int rows : {1, 2, 3, 4, 5, 8, 9, 16, 19})
        for (int columns : {1, full / 2, full - 1, full})
            for (int depth : {1, 7, 200})
                for (int how = 0; how < 4; how++)
                    for (int which = 0; which < result_activations; which++)
                        panel_case(table, rows, columns, depth, how & 1, how & 2, which);
    const Axis same{9, 3, 1, 1, 1}, wide{40, 9, 1, 1, 4}, strided{21, 3, 2, 1, 1}, dilated{30, 3, 1, 4, 4},
        sparse{33, 4, 3, 2, 2}, one{35, 1, 1, 1, 0};
    for (const Axis &x : {same, wide, strided, dilated, sparse, one})
        for (const Axis &y : {same, strided, one}) gather_case(table, {9, 3, 1, 1, 1}, y, x, 2);
    for (int left : {1, 2, 3, 4, 9})
        for (int right : {1, 5, 6, 7, 12, 13})
            for (int length : {1, 15, 16, 67, 500}) transposed_case(table, left, right, length);
}

}  // namespace kernel_cases
