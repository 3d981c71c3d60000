#include "pointwise.h"

#include "table.h"

namespace kernel_cases {
namespace {

const int counts[] = {1, 3, 4, 15, 16, 17, 33, 1023, 1024, 1025, 5000};
const float not_a_number = std::nanf("");

void sums_cases(Table &table) {
    for (int count : counts) {
        Random random(17);
        Floats x(size_t(count), random, 90, 110), g(size_t(count), random);
        const float pivot = 100;
        std::vector<double> moments(2), products(2);
        for (int i = 0; i < count; i++) {
            const double deviation = double(x[size_t(i)]) - pivot;
            moments[0] += deviation;
            moments[1] += deviation * deviation;
            products[0] += g[size_t(i)];
            products[1] += g[size_t(i)] * deviation;
        }
        double sums[2];
        const struct pointwise_gate gate = {-0.5f, 49.75f};
        std::vector<double> gated(2);
        for (int i = 0; i < count; i++) {
            if (!(x[size_t(i)] * gate.scale + gate.shift > 0)) continue;
            gated[0] += g[size_t(i)];
            gated[1] += g[size_t(i)] * (double(x[size_t(i)]) - pivot);
        }
        pointwise_moments(table.level, x.data(), count, pivot, sums);
        table.compare(named("pointwise_moments", {count}), {sums[0], sums[1]}, moments, 1e-6);
        pointwise_products(table.level, g.data(), x.data(), count, pivot, sums);
        table.compare(named("pointwise_products", {count}), {sums[0], sums[1]}, products, 3e-6);
        pointwise_gated_products(table.level, g.data(), x.data(), count, pivot, gate, sums);
        table.compare(named("pointwise_gated_products", {count}), {sums[0], sums[1]}, gated, 3e-6);
    }
}

void map_cases(Table &table) {
    for (int count : counts) {
        Random random(19);
        const size_t n = size_t(count);
        Floats x(n, random), g(n, random), y(n + 8, -7.0f);
        x[n / 2] = not_a_number;
        std::vector<double> affine(n + 8, -7), combined(n + 8, -7), relu(n + 8, -7), gradient(n + 8, -7);
        std::vector<double> gated(n + 8, -7), gated_combined(n + 8, -7);
        const struct pointwise_gate gate = {1.5f, -0.25f};
        for (size_t i = 0; i < n; i++) {
            affine[i] = 1.5 * x[i] - 0.25;
            combined[i] = 0.5 * g[i] - 2.0 * x[i] + 0.125;
            gated[i] = affine[i] <= 0 ? 0 : affine[i];
            gated_combined[i] = (affine[i] > 0 ? 0.5 * g[i] : 0) - 2.0 * x[i] + 0.125;
            relu[i] = x[i] < 0 ? 0 : x[i];
            gradient[i] = x[i] > 0 ? g[i] : 0;
        }
        pointwise_affine(table.level, x.data(), y.data(), count, 1.5f, -0.25f);
        table.compare(named("pointwise_affine", {count}), y.data(), affine, 1e-6);
        pointwise_combine(table.level, g.data(), x.data(), y.data(), count, 0.5f, -2, 0.125f);
        table.compare(named("pointwise_combine", {count}), y.data(), combined, 1e-6);
        pointwise_gated_affine(table.level, x.data(), y.data(), count, gate);
        table.compare(named("pointwise_gated_affine", {count}), y.data(), gated, 1e-6);
        for (size_t i = 0; i < n; i++) y[i] = g[i];
        pointwise_gated_combine(table.level, y.data(), x.data(), y.data(), count, 0.5f, -2, 0.125f, gate);
        table.compare(named("pointwise_gated_combine", {count}), y.data(), gated_combined, 1e-6);
        for (size_t i = 0; i < n; i++) y[i] = x[i];
        pointwise_combine(table.level, g.data(), y.data(), y.data(), count, 0.5f, -2, 0.125f);
        table.compare(named("pointwise_combine in place", {count}), y.data(), combined, 1e-6);
        for (size_t i = 0; i < n; i++) y[i] = x[i];
        pointwise_relu(table.level, y.data(), count);
        table.compare(named("pointwise_relu", {count}), y.data(), relu, 0);
        for (size_t i = 0; i < n; i++) y[i] = g[i];
        double left = 0;
        for (size_t i = 0; i < n; i++) left += gradient[i];
        const double sum = pointwise_relu_gradient(table.level, y.data(), x.data(), count);
        table.compare(named("pointwise_relu_gradient", {count}), y.data(), gradient, 0);
        table.compare(named("pointwise_relu_gradient, sum", {count}), {sum, double(count)}, {left, double(count)},
                      1e-7);
    }
}

void softmax_case(Table &table, int channels, int count, float spread) {
    Random random(23);
    const long stride = count + 9;
    Floats logits(size_t(channels * stride), random, -spread, spread), logarithms(size_t(count) + 8, -7.0f);
    std::vector<double> expected(logits.data(), logits.data() + logits.size()), sums(size_t(count) + 8, -7);
    for (int i = 0; i < count; i++) {
        double highest = -INFINITY, sum = 0;
        for (int c = 0; c < channels; c++) highest = std::fmax(highest, logits[size_t(c * stride + i)]);
        for (int c = 0; c < channels; c++) sum += std::exp(logits[size_t(c * stride + i)] - highest);
        for (int c = 0; c < channels; c++) {
            double &value = expected[size_t(c * stride + i)];
            value = std::exp(value - highest) / sum;
        }
        sums[size_t(i)] = highest + std::log(sum);
    }
    Floats again = logits;
    pointwise_softmax(table.level, logits.data(), channels, stride, count, logarithms.data());
    table.compare(named("pointwise_softmax", {channels, count}), logits.data(), expected, 1e-6);
    table.compare(named("pointwise_softmax, logarithms", {channels, count}), logarithms.data(), sums, 1e-6);
    pointwise_softmax(table.level, again.data(), channels, stride, count, nullptr);
    table.compare(named("pointwise_softmax without logarithms", {channels, count}), again.data(), expected, 1e-6);
}

void cross_entropy_case(Table &table, int channels, int count, float spread) {
    Random random(31);
    const long stride = count + 9;
    Floats logits(size_t(channels * stride), random, -spread, spread), weights(size_t(channels), random, 0.5f, 2);
    weights[size_t(channels) / 2] = 0;
    std::vector<uint8_t> labels(static_cast<size_t>(count));
    // One label more than there are classes.
    for (auto &label : labels) label = uint8_t(random.below(channels + 1));
    std::vector<double> expected(logits.data(), logits.data() + logits.size());
    double loss = 0;
    for (int i = 0; i < count; i++) {
        const int label = labels[size_t(i)];
        const double weight = label < channels ? double(weights[size_t(label)]) : 0;
        double highest = -INFINITY, sum = 0;
        for (int c = 0; c < channels; c++) highest = std::fmax(highest, logits[size_t(c * stride + i)]);
        for (int c = 0; c < channels; c++) sum += std::exp(logits[size_t(c * stride + i)] - highest);
        if (weight != 0) loss += weight * (highest + std::log(sum) - logits[size_t(label * stride + i)]);
        for (int c = 0; c < channels; c++) {
            double &value = expected[size_t(c * stride + i)];
            value = weight * (std::exp(value - highest) / sum - (c == label ? 1 : 0));
        }
    }
    const double found =
        pointwise_cross_entropy(table.level, logits.data(), channels, stride, count, labels.data(), weights.data());
    table.compare(named("pointwise_cross_entropy", {channels, count}), logits.data(), expected, 1e-6);
    // Rounding is relative to the logits.
    table.compare(named("pointwise_cross_entropy, sum", {channels, count}), {found, spread}, {loss, spread}, 2e-6);
}

void focal_case(Table &table, int channels, int count, float spread, float gamma) {
    Random random(37);
    const long stride = count + 9;
    Floats logits(size_t(channels * stride), random, -spread, spread), weights(size_t(channels), random, 0.5f, 2);
    weights[size_t(channels) / 2] = 0;
    std::vector<uint8_t> labels(static_cast<size_t>(count));
    // One label more than there are classes.
    for (auto &label : labels) label = uint8_t(random.below(channels + 1));
    std::vector<double> expected(logits.data(), logits.data() + logits.size());
    double loss = 0;
    for (int i = 0; i < count; i++) {
        const int label = labels[size_t(i)];
        const double weight = label < channels ? double(weights[size_t(label)]) : 0;
        double highest = -INFINITY, own = 0, others = 0;
        for (int c = 0; c < channels; c++) highest = std::fmax(highest, logits[size_t(c * stride + i)]);
        for (int c = 0; c < channels; c++)
            (c == label ? own : others) += std::exp(logits[size_t(c * stride + i)] - highest);
        const double q = others / (own + others), logarithm = q < 0.5 ? std::log1p(-q) : std::log(own / (own + others));
        // The limit where no other class has any probability.
        const double ratio = q > 0 ? logarithm / q : -1;
        if (weight != 0) loss -= weight * std::pow(q, gamma) * logarithm;
        for (int c = 0; c < channels; c++) {
            double &value = expected[size_t(c * stride + i)];
            const double probability = std::exp(value - highest) / (own + others);
            value = weight == 0 ? 0 : weight * std::pow(q, gamma) * (1 - gamma * (1 - q) * ratio) *
                                          (c == label ? -q : probability);
        }
    }
    const double found =
        pointwise_focal(table.level, logits.data(), channels, stride, count, labels.data(), weights.data(), gamma);
    const std::string name = named("pointwise_focal", {channels, count, long(2 * gamma)});
    table.compare(name, logits.data(), expected, 2e-6);
    // Rounding is relative to the logits.
    table.compare(name + ", sum", {found, spread}, {loss, spread}, 2e-6);
}

void overlap_case(Table &table, int channels, int count, int ignored) {
    Random random(41);
    const long stride = count + 9;
    Floats values(size_t(channels * stride), random, 0, 1), inside(size_t(channels), random),
        outside(size_t(channels), random), slope(size_t(channels), random);
    std::vector<class_derivative> derivatives;
    for (size_t c = 0; c < size_t(channels); c++) derivatives.push_back({inside[c], outside[c], slope[c]});
    std::vector<uint8_t> labels(static_cast<size_t>(count));
    for (auto &label : labels) label = uint8_t(random.below(channels + 1));
    std::vector<double> expected(values.data(), values.data() + values.size());
    std::vector<double> sums(3 * size_t(channels)), found;
    for (int i = 0; i < count; i++) {
        const int label = labels[size_t(i)];
        const auto derivative = [&](int c) {
            return double((c == label ? inside : outside)[size_t(c)]) +
                   double(slope[size_t(c)]) * values[size_t(c * stride + i)];
        };
        double mean = 0;
        for (int c = 0; c < channels; c++) {
            const double value = values[size_t(c * stride + i)];
            mean += value * derivative(c);
            if (label == ignored) continue;
            sums[size_t(3 * c)] += value;
            if (label == c) sums[size_t(3 * c + 1)] += value;
            sums[size_t(3 * c + 2)] += value * value;
        }
        for (int c = 0; c < channels; c++) {
            double &value = expected[size_t(c * stride + i)];
            value = label == ignored ? 0 : value * (derivative(c) - mean);
        }
    }
    for (int c = 0; c < channels; c++) {
        const struct class_sums own =
            pointwise_class_sums(table.level, values.data() + c * stride, count, labels.data(), c, ignored);
        found.insert(found.end(), {own.all, own.own, own.squares});
    }
    table.compare(named("pointwise_class_sums", {channels, count, ignored}), found, sums, 1e-6);
    pointwise_softmax_gradient(table.level, values.data(), channels, stride, count, labels.data(), ignored,
                               derivatives.data());
    table.compare(named("pointwise_softmax_gradient", {channels, count, ignored}), values.data(), expected, 2e-6);
}

}  // namespace

void pointwise_cases(Table &table) {
    sums_cases(table);
    map_cases(table);
    for (int channels : {1, 2, 3, 8})
        for (int count : {1, 15, 16, 17, 500})
            for (float spread : {1.0f, 30.0f}) {
                softmax_case(table, channels, count, spread);
                cross_entropy_case(table, channels, count, spread);
                for (float gamma : {0.0f, 0.5f, 2.0f}) focal_case(table, channels, count, spread, gamma);
            }
    for (int channels : {1, 2, 3, 8})
        for (int count : {1, 15, 16, 17, 1500})
            for (int ignored : {-1, 0, channels}) overlap_case(table, channels, count, ignored);
}

}  // namespace kernel_cases
