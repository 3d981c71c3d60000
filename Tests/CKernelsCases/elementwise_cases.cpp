#include "elementwise.h"

#include "table.h"

namespace kernel_cases {
namespace {

const int counts[] = {1, 3, 4, 15, 16, 17, 33, 1025};
const float not_a_number = std::nanf("");

void map_cases(Table &table) {
    for (int count : counts) {
        Random random(37);
        const size_t n = size_t(count);
        Floats x(n, random, 9990, 10010), g(n, random), y(n + 8, -7.0f);
        x[n / 2] = not_a_number;
        std::vector<double> normalised(n + 8, -7), rectified(n + 8, -7), leaky(n + 8, -7), combined(n + 8, -7);
        std::vector<double> product(n + 8, -7);
        for (size_t i = 0; i < n; i++) {
            const double deviation = double(x[i]) - 10000;
            normalised[i] = deviation * 1.5 - 0.25;
            rectified[i] = normalised[i] < 0 ? 0 : normalised[i];
            leaky[i] = normalised[i] < 0 ? 0.125 * normalised[i] : normalised[i];
            combined[i] = 0.5 * g[i] - 2.0 * deviation + 0.125;
            product[i] = double(g[i]) * x[i];
        }
        elementwise_normalise(table.level, x.data(), y.data(), count, {10000, 1.5f, -0.25f, 1});
        table.compare(named("elementwise_normalise", {count}), y.data(), normalised, 1e-6);
        elementwise_normalise(table.level, x.data(), y.data(), count, {10000, 1.5f, -0.25f, 0});
        table.compare(named("elementwise_normalise, relu", {count}), y.data(), rectified, 1e-6);
        for (size_t i = 0; i < n; i++) y[i] = x[i];
        elementwise_normalise(table.level, y.data(), y.data(), count, {10000, 1.5f, -0.25f, 0.125f});
        table.compare(named("elementwise_normalise in place, leaky", {count}), y.data(), leaky, 1e-6);
        for (size_t i = 0; i < n; i++) y[i] = g[i];
        elementwise_centred_combine(table.level, y.data(), x.data(), y.data(), count, 0.5f, -2, 10000, 0.125f);
        table.compare(named("elementwise_centred_combine in place", {count}), y.data(), combined, 1e-6);
        elementwise_multiply(table.level, g.data(), x.data(), y.data(), count);
        table.compare(named("elementwise_multiply", {count}), y.data(), product, 1e-6);
    }
}

void maximum_cases(Table &table) {
    for (int count : counts)
        for (int place : {0, count / 2, count - 1}) {
            Random random(41);
            Floats x(size_t(count), random, -9, -1);
            x[size_t(place)] = -0.5f;
            table.compare(named("elementwise_maximum", {count, place}),
                          {elementwise_maximum(table.level, x.data(), count)}, {-0.5}, 0);
            x[size_t(place)] = not_a_number;
            table.compare(named("elementwise_maximum, NaN", {count, place}),
                          {elementwise_maximum(table.level, x.data(), count)}, {not_a_number}, 0);
        }
}

void interpolate_cases(Table &table) {
    for (int count : counts) {
        Random random(43);
        const size_t n = size_t(count);
        Floats x(2 * n, random), fraction(n, random, 0, 1), y(n + 8, -7.0f);
        std::vector<int32_t> first(n), second(n);
        std::vector<double> interpolated(n + 8, -7), gathered(n + 8, -7);
        for (size_t i = 0; i < n; i++) {
            first[i] = int32_t(7 * i % (2 * n));
            second[i] = int32_t((7 * i + 1) % (2 * n));
            gathered[i] = x[size_t(first[i])];
            interpolated[i] = (1.0 - fraction[i]) * gathered[i] + double(fraction[i]) * x[size_t(second[i])];
        }
        elementwise_interpolate(table.level, x.data(), first.data(), second.data(), fraction.data(), y.data(), count);
        table.compare(named("elementwise_interpolate", {count}), y.data(), interpolated, 1e-6);
        elementwise_interpolate(table.level, x.data(), first.data(), second.data(), nullptr, y.data(), count);
        table.compare(named("elementwise_interpolate without fractions", {count}), y.data(), gathered, 0);
    }
}

void interleave_cases(Table &table) {
    for (int phases : {1, 2, 3, 4, 8})
        for (int count : counts) {
            Random random(47);
            const size_t stride = size_t(count) + 3, n = size_t(phases * count);
            Floats x(size_t(phases) * stride, random), y(n + 8, -7.0f);
            std::vector<double> interleaved(n + 8, -7);
            for (size_t i = 0; i < n; i++)
                interleaved[i] = x[i % size_t(phases) * stride + i / size_t(phases)];
            elementwise_interleave(table.level, x.data(), long(stride), phases, y.data(), count);
            table.compare(named("elementwise_interleave", {phases, count}), y.data(), interleaved, 0);
        }
}

}  // namespace

void elementwise_cases(Table &table) {
    interleave_cases(table);
    map_cases(table);
    maximum_cases(table);
    interpolate_cases(table);
}

}  // namespace kernel_cases
