#include "transposed_convolution.h"

#include "activation_of_results.h"
#include "table.h"

namespace kernel_cases {
namespace {

// Two planes of two rows of the input, of which `missing` (a bit for each row) are rows of zeros, and four output rows
// of two outputs, of which `unwanted` (a bit for each row) are not made.
struct RowsCase {
    int inputs, width, result_width;
    unsigned missing, unwanted;
    int activation;
};

void rows_case(Table &table, const RowsCase &shape) {
    Random random(uint64_t(shape.inputs * 1009 + shape.width * 7 + int(shape.missing)));
    const long row = shape.width, channel_stride = 4 * row + 3;
    Floats source(size_t(shape.inputs * channel_stride), random), zeros(static_cast<size_t>(row));
    Floats weights(size_t(shape.inputs * 27 * 2), random);
    const int count = shape.result_width + 2;  // what lies after a row stays
    Floats result(size_t(8 * count), -7);
    struct transposed_convolution_rows rows = {};
    rows.inputs = shape.inputs;
    rows.width = shape.width;
    rows.result_width = shape.result_width;
    rows.weights = weights.data();
    const ResultActivation activation(shape.activation, 2);
    rows.activation = activation.kernel();
    for (int r = 0; r < 4; r++) {
        const bool is_missing = shape.missing >> r & 1;
        rows.source[r] = is_missing ? zeros.data() : source.data() + r * row;
        rows.source_stride[r] = is_missing ? 0 : channel_stride;
    }
    std::vector<double> expected(result.size(), -7);
    for (int o = 0; o < 2; o++) {
        rows.bias[o] = random.uniform(-1, 1);
        for (int r = 0; r < 4; r++) {
            if (shape.unwanted >> r & 1) continue;
            rows.result[o][r] = result.data() + (o * 4 + r) * count;
            for (int x = 0; x < shape.result_width; x++) {
                double sum = double(rows.bias[o]);
                for (int position = 0; position < 27; position++) {
                    // Output index i is made by tap t of input index (i + 1 - t) / 2, if that is a whole one.
                    const int tap = transposed_convolution_tap_order(position);
                    const int z = r / 2 + 1 - tap / 9, y = r % 2 + 1 - tap / 3 % 3, k = x + 1 - tap % 3;
                    if (z % 2 || y % 2 || k % 2 || k / 2 >= shape.width) continue;
                    const int from = z / 2 * 2 + y / 2;
                    if (shape.missing >> from & 1) continue;
                    for (int channel = 0; channel < shape.inputs; channel++)
                        sum += double(weights[size_t((channel * 27 + position) * 2 + o)]) *
                               source[size_t(channel * channel_stride + from * row + k / 2)];
                }
                expected[size_t((o * 4 + r) * count + x)] = activation(sum, o);
            }
        }
    }
    transposed_convolution_make_rows(table.level, &rows);
    table.compare(named("transposed_convolution_make_rows", {shape.inputs, shape.width, shape.result_width}),
                  result.data(), expected, 2e-6);
}

void split_case(Table &table, int length) {
    Random random(uint64_t(length + 1));
    const int pairs = (length + 1) / 2 + 2;
    Floats row(size_t(length), random), even(size_t(pairs), -7), odd(size_t(pairs), -7);
    std::vector<double> evens(even.size(), -7), odds(odd.size(), -7);
    double sum = 0;
    for (int i = 0; i < length; i++) {
        (i % 2 ? odds : evens)[size_t(i / 2)] = double(row[size_t(i)]);
        sum += double(row[size_t(i)]);
    }
    const double found = transposed_convolution_split(table.level, row.data(), length, even.data(), odd.data());
    table.compare(named("transposed_convolution_split even", {length}), even.data(), evens, 0);
    table.compare(named("transposed_convolution_split odd", {length}), odd.data(), odds, 0);
    table.compare(named("transposed_convolution_split sum", {length}), {found, double(length)}, {sum, double(length)},
                  1e-6);
}

}  // namespace

void transposed_convolution_cases(Table &table) {
    const int vector = table.width();
    for (int inputs : {1, 5})
        for (int width : {1, 3, vector - 1, vector, vector + 1, 2 * vector, 2 * vector + 5})
            for (int result_width : {2 * width, 2 * width - 1})
                for (unsigned missing : {0u, 2u, 12u, 14u})
                    for (unsigned unwanted : {0u, 3u, 10u})
                        rows_case(table, {inputs, width, result_width, missing, unwanted,
                                          int(missing + unwanted) % result_activations});
    bool taps[27] = {};
    for (int position = 0; position < 27; position++) taps[transposed_convolution_tap_order(position)] = true;
    for (bool is_taken : taps) table.require("transposed_convolution_tap_order takes every tap", is_taken);
    // Changes nothing, wherever it reaches.
    const float value = 1;
    transposed_convolution_fetch(&value, 100, 3, 2, 1000);
    table.require("transposed_convolution_fetch leaves memory as it is", value == 1);
    for (int length : {0, 1, 2, 2 * vector - 1, 2 * vector, 2 * vector + 1, 160, 1023, 1024, 1025, 3001})
        split_case(table, length);
}

}  // namespace kernel_cases
