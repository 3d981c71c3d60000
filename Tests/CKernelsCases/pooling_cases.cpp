#include "pooling.h"

#include "table.h"

namespace kernel_cases {
namespace {

const float not_a_number = std::nanf("");

void pooling_case(Table &table, int window, int step, int before, int input_width, int rows_z, int rows_y, bool has_nan,
                  int takes_minimum) {
    Random random(29);
    const int depth = 5, height = 6, plane = height * input_width;
    Floats channel(size_t(depth * plane) + 64);
    // Few values, so that many are equal.
    for (size_t i = 0; i < channel.size(); i++) channel[i] = float(random.below(5) - 2);
    if (has_nan)
        for (size_t i = 3; i < channel.size(); i += 37) channel[i] = not_a_number;
    const int width = (input_width + before + step - 1) / step;
    const struct pooling_row row = {channel.data(), plane, input_width, 2,    1,
                                    rows_z,         rows_y, window,     step, input_width, width,
                                    before,         takes_minimum};
    std::vector<double> expected, indices, averages, spread(channel.size());
    Floats factors(size_t(width) + 16, random), gradients(size_t(width) + 16, random);
    for (int x = 0; x < width; x++) {
        double best = takes_minimum ? INFINITY : -INFINITY;
        double sum = 0;
        int argmax_index = -1;
        for (int z = 2; z < 2 + rows_z; z++)
            for (int y = 1; y < 1 + rows_y; y++)
                for (int tap = 0; tap < window; tap++) {
                    const int column = x * step - before + tap;
                    if (column < 0 || column >= input_width) continue;
                    const int index = z * plane + y * input_width + column;
                    const double value = channel[size_t(index)];
                    sum += value;
                    spread[size_t(index)] += double(factors[size_t(x)]) * gradients[size_t(x)];
                    const bool wins = takes_minimum ? value < best : value > best;
                    if (argmax_index >= 0 && !(wins || std::isnan(value))) continue;
                    best = value;
                    argmax_index = index;
                }
        expected.push_back(best);
        indices.push_back(argmax_index);
        averages.push_back(sum * factors[size_t(x)]);
    }
    Floats maxima(size_t(width) + 16);
    std::vector<int32_t> argmax(size_t(width) + 16);
    pooling_maxima(table.level, &row, maxima.data(), argmax.data());
    const std::string name = named(takes_minimum ? "pooling_maxima, least" : "pooling_maxima",
                                   {window, step, before, input_width, rows_z, rows_y});
    table.compare(name, maxima.data(), expected, 0);
    table.compare(name + ", argmax", std::vector<double>(argmax.begin(), argmax.begin() + width), indices, 0);
    if (has_nan || takes_minimum) return;
    pooling_averages(table.level, &row, factors.data(), maxima.data());
    table.compare("averages of " + name, maxima.data(), averages, 1e-6);
    Floats target(channel.size());
    pooling_averages_gradient(table.level, &row, factors.data(), gradients.data(), target.data());
    table.compare("gradient of averages of " + name, target.data(), spread, 1e-6);
}

void pooling_2x2x2_case(Table &table, int input_width, bool has_source, bool has_values) {
    Random random(37);
    const int depth = 5, height = 4, plane = height * input_width, width = input_width / 2;
    const long start = plane + input_width;
    const size_t voxels = size_t(depth * plane), windows = size_t(width);
    Floats source(voxels, random), target(voxels, -7.0f), gradients(windows, random), values(windows, random);
    std::vector<int32_t> argmax(windows);
    for (int x = 0; x < width; x++)
        argmax[size_t(x)] =
            int32_t(start) + random.below(2) * plane + random.below(2) * input_width + 2 * x + random.below(2);
    const struct pooling_2x2x2_row row = {gradients.data(),
                                          argmax.data(),
                                          has_values ? values.data() : nullptr,
                                          has_source ? source.data() : nullptr,
                                          {-1.5f, 0.25f},
                                          2,
                                          0.5f,
                                          -0.125f,
                                          start,
                                          plane,
                                          input_width,
                                          input_width,
                                          width};
    std::vector<double> expected(voxels, -7);
    for (int z = 0; z < 2; z++)
        for (int y = 0; y < 2; y++)
            for (int x = 0; x < input_width; x++) {
                const size_t voxel = size_t(start + z * plane + y * input_width + x), window = size_t(x / 2);
                double &value = expected[voxel];
                value = has_source ? 0.5 * source[voxel] - 0.125 : 0;
                if (x / 2 >= width || argmax[window] != int32_t(voxel)) continue;
                if (!has_values || -1.5f * values[window] + 0.25f > 0) value += 2.0 * gradients[window];
            }
    pooling_2x2x2_gradient(table.level, &row, target.data());
    table.compare(named("pooling_2x2x2_gradient", {input_width, has_source, has_values}), target.data(), expected,
                  1e-6);
}

}  // namespace

void pooling_cases(Table &table) {
    for (int window : {1, 2, 3})
        for (int step : {1, 2, 3})
            for (int input_width : {1, 7, 32, 33, 70})
                for (int rows = 1; rows <= 3; rows++)
                    for (int before = 0; before < window; before++)
                        for (bool has_nan : {false, true})
                            for (int takes_minimum : {0, 1})
                                pooling_case(table, window, step, before, input_width, rows, 4 - rows, has_nan,
                                             takes_minimum);
    for (int input_width : {1, 2, 7, 8, 32, 33, 70, 81})
        for (bool has_source : {false, true})
            for (bool has_values : {false, true}) pooling_2x2x2_case(table, input_width, has_source, has_values);
}

}  // namespace kernel_cases
