#include "dense_crf.h"

#include "table.h"

namespace kernel_cases {
namespace {

typedef const struct dense_crf_kernels &Kernels;

// Rows are written up to a multiple of 16 and end with at least 16 spare floats.
size_t padded(size_t count) { return (count + 15) / 16 * 16 + 16; }

std::vector<double> first(const Floats &values, size_t count) {
    return std::vector<double>(values.data(), values.data() + count);
}

void mix_cases(Table &table, Kernels kernels, size_t count) {
    Random random(37);
    Floats a(padded(count), random), b(padded(count), random), c(padded(count), random), in(padded(count), random);
    Floats out(padded(count));
    const float w[] = {0.25f, -0.5f, 0.75f};
    std::vector<double> combined, sums[3], added, product;
    for (size_t i = 0; i < count; i++) {
        combined.push_back(0.25 * a[i] - 0.5 * b[i] + 0.75 * c[i]);
        sums[0].push_back(a[i] + 0.25 * in[i]);
        sums[1].push_back(b[i] - 0.5 * in[i]);
        sums[2].push_back(c[i] + 0.75 * in[i]);
        added.push_back(in[i] + 1.5 * a[i] * b[i]);
        product.push_back(1.5 * a[i] * b[i]);
    }
    kernels.combine(out.data(), a.data(), b.data(), c.data(), w, count);
    table.compare(named("combine", {long(count)}), out.data(), combined, 1e-6);
    kernels.add_product(out.data(), in.data(), a.data(), b.data(), 1.5f, count);
    table.compare(named("add_product", {long(count)}), out.data(), added, 1e-6);
    kernels.multiply(out.data(), a.data(), b.data(), 1.5f, count);
    table.compare(named("multiply", {long(count)}), out.data(), product, 1e-6);
    kernels.distribute(a.data(), b.data(), c.data(), in.data(), w, count);
    const Floats *all[] = {&a, &b, &c};
    for (int k = 0; k < 3; k++) table.compare(named("distribute", {long(count), k}), all[k]->data(), sums[k], 1e-6);
}

void filter_cases(Table &table, Kernels kernels, int count, int radius) {
    Random random(41);
    const int inner = 32, in_stride = inner + 16, out_stride = inner + 32;
    Floats taps(size_t(radius) + 1, random), in(size_t(count * in_stride), random), out(size_t(count * out_stride), -7);
    std::vector<double> expected(out.size(), -7);
    for (int k = 0; k < count; k++)
        for (int i = 0; i < inner; i++) {
            double sum = 0;
            for (int m = 0; m < count; m++)
                if (std::abs(m - k) <= radius) sum += double(taps[size_t(std::abs(m - k))]) * in[size_t(m * in_stride + i)];
            expected[size_t(k * out_stride + i)] = sum;
        }
    kernels.filter(out.data(), size_t(out_stride), in.data(), size_t(in_stride), size_t(count), inner, taps.data(),
                   size_t(radius));
    table.compare(named("filter", {count, radius}), out.data(), expected, 2e-6);

    Floats row(size_t(radius) + padded(size_t(count)) + size_t(radius) + 16, random), filtered(padded(size_t(count)));
    std::vector<double> along;
    for (int i = 0; i < count; i++) {
        double sum = 0;
        for (int d = -radius; d <= radius; d++) sum += double(taps[size_t(std::abs(d))]) * row[size_t(radius + i + d)];
        along.push_back(sum);
    }
    kernels.filter_row(filtered.data(), row.data() + radius, size_t(count), taps.data(), size_t(radius));
    table.compare(named("filter_row", {count, radius}), filtered.data(), along, 2e-6);
}

void cell_cases(Table &table, Kernels kernels, size_t count, size_t step, size_t ranks) {
    Random random(43);
    const size_t room = padded(count), cells = (count - 1) / step + 3;
    const int levels = 20;
    std::vector<uint16_t> codes(room + 16);
    std::vector<int32_t> offsets(room + 16);
    for (size_t x = 0; x < codes.size(); x++) {
        codes[x] = uint16_t(random.below(levels));
        offsets[x] = x < count ? int32_t(x / step * ranks) : 0;
    }
    Floats features(levels * ranks, random), grid((cells + 16) * ranks, random);
    std::vector<Floats> weights(3, Floats(room + 16));
    for (size_t x = 0; x < count; x++)
        for (Floats &weight : weights) weight[x] = random.uniform(0, 1);
    const struct dense_crf_row row = {codes.data(), features.data(), ranks, count, step, cells, offsets.data(),
                                      {weights[0].data(), weights[1].data(), weights[2].data()}};
    Floats values(room + 16, random), factors(room + 16, random);
    std::vector<double> sliced(count), splat(cells * ranks);
    for (size_t x = 0; x < count; x++)
        for (size_t t = 0; t < 3; t++)
            for (size_t r = 0; r < ranks; r++) {
                const size_t cell = (x / step + t) * ranks + r;
                const double feature = features[codes[x] * ranks + r];
                sliced[x] += double(weights[t][x]) * grid[cell] * feature;
                splat[cell] += double(weights[t][x]) * values[x] * factors[x] * feature;
            }
    Floats out(room), written((cells + 16) * ranks, 5), scratch(3 * ((cells * step + 31) / 16 * 16 + 16));
    kernels.slice_row(out.data(), grid.data(), &row);
    const std::string name = named("_row", {long(count), long(step), long(ranks)});
    table.compare("slice" + name, out.data(), sliced, 3e-6);
    kernels.splat_row(written.data(), values.data(), factors.data(), scratch.data(), &row);
    table.compare("splat" + name, first(written, cells * ranks), splat, 3e-6);
}

void probability_cases(Table &table, Kernels kernels, size_t channels, size_t count, float spread) {
    Random random(47);
    const size_t stride = padded(count);
    Floats logits(channels * stride, random, -spread, spread), out((channels + 1) * stride);
    std::vector<double> marginals(out.size()), differences(channels * stride);
    for (size_t i = 0; i < count; i++) {
        double highest = 0, sum = 0;
        for (size_t c = 0; c < channels; c++) highest = std::fmax(highest, logits[c * stride + i]);
        for (size_t c = 0; c <= channels; c++) {
            const double e = std::exp((c == 0 ? 0 : logits[(c - 1) * stride + i]) - highest);
            marginals[c * stride + i] = e;
            sum += e;
        }
        for (size_t c = 0; c <= channels; c++) marginals[c * stride + i] /= sum;
        for (size_t c = 0; c < channels; c++)
            differences[c * stride + i] = marginals[(c + 1) * stride + i] - marginals[i];
    }
    const auto compare = [&](const std::string &what, const std::vector<double> &expected, size_t rows) {
        for (size_t c = 0; c < rows; c++)
            table.compare(named(what, {long(channels), long(count), long(c)}), out.data() + c * stride,
                          std::vector<double>(expected.begin() + long(c * stride),
                                              expected.begin() + long(c * stride + count)),
                          2e-6);
    };
    kernels.marginals(out.data(), logits.data(), stride, channels, count);
    compare("marginals", marginals, channels + 1);
    kernels.differences(out.data(), logits.data(), stride, channels, count);
    compare("differences", differences, channels);

    // Some probabilities below the floor, some voxels whose sum is far from 1.
    const size_t classes = channels + 1;
    Floats probabilities(classes * stride, random, 0, 1), unary(channels * stride, -7);
    const double floor = 1e-3;
    std::vector<double> expected(unary.size(), -7);
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (size_t c = 0; c < classes; c++) sum += probabilities[c * stride + i];
        if (i % 3 != 0)
            for (size_t c = 0; c < classes; c++) probabilities[c * stride + i] /= float(sum);
        if (i % 5 == 1) probabilities[channels * stride + i] = 0;
        sum = 0;
        for (size_t c = 0; c < classes; c++) sum += probabilities[c * stride + i];
        const double scale = std::fabs(sum - 1) > 1e-3 ? 1 / sum : 1;
        const auto logarithm = [&](size_t c) {
            return std::log(std::fmax(probabilities[c * stride + i] * scale, floor));
        };
        for (size_t c = 1; c < classes; c++) expected[(c - 1) * stride + i] = logarithm(c) - logarithm(0);
    }
    const std::string name = named("unary", {long(classes), long(count)});
    table.require(name + " accepts", kernels.unary(unary.data(), stride, probabilities.data(), stride, classes,
                                                   float(floor), count));
    table.compare(name, unary.data(), expected, 1e-6);
    for (float bad : {-0.5f, float(INFINITY), std::nanf("")}) {
        Floats wrong = probabilities;
        wrong[stride + count - 1] = bad;
        table.require(name + " refuses " + std::to_string(bad),
                      !kernels.unary(unary.data(), stride, wrong.data(), stride, classes, float(floor), count));
    }
}

void exact_cases(Table &table, Kernels kernels, size_t count) {
    Random random(53);
    const std::string at = named("", {long(count)});
    for (int square_root : {0, 1}) {
        Floats values(count + 16, random, 0, 4);
        values[0] = 1e-9f;
        std::vector<double> expected = first(values, count + 16);
        for (size_t i = 0; i < count; i++) {
            const double value = std::fmax(expected[i], 1e-6f);
            expected[i] = 1 / (square_root ? std::sqrt(value) : value);
        }
        kernels.invert(values.data(), square_root, count);
        // Relative to each value: the first is far greater than the others.
        std::vector<double> ratios(count + 16), ones(count + 16, 1);
        for (size_t i = 0; i < count + 16; i++) ratios[i] = values[i] / expected[i];
        table.compare("invert" + at, ratios, ones, 1e-6);
    }
    Floats values(count + 16, NAN);
    for (size_t i = 0; i < count; i++) values[i] = float(random.below(1000) - 500);
    table.require("inspect: whole numbers" + at, kernels.inspect(values.data(), count) == 3);
    values[count - 1] = 0.5f;
    table.require("inspect: a fraction" + at, kernels.inspect(values.data(), count) == 1);
    values[count - 1] = 16777216.0f;
    table.require("inspect: a large number" + at, kernels.inspect(values.data(), count) == 1);
    values[count - 1] = INFINITY;
    table.require("inspect: infinity" + at, kernels.inspect(values.data(), count) == 0);
    values[count - 1] = NAN;
    table.require("inspect: not a number" + at, kernels.inspect(values.data(), count) == 0);

    Floats image(count, random, -60, 300);
    std::vector<uint16_t> codes(count + 16, 999);
    std::vector<double> expected(count + 16, 999);
    for (size_t i = 0; i < count; i++) {
        image[i] = std::floor(image[i]) + 0.25f;
        const double clamped = std::fmin(std::fmax(image[i], 0), 255);
        expected[i] = std::floor(clamped * 2 + 0.5);
    }
    kernels.encode(codes.data(), image.data(), 0, 255, 2, count);
    table.compare("encode" + at, std::vector<double>(codes.begin(), codes.end()), expected, 0);
}

}  // namespace

void dense_crf_cases(Table &table) {
    Kernels kernels = *dense_crf_kernels_for(table.level);
    for (size_t count : {1, 15, 16, 17, 100}) {
        mix_cases(table, kernels, count);
        exact_cases(table, kernels, count);
        for (size_t channels : {1, 2, 5})
            for (float spread : {1.0f, 20.0f}) probability_cases(table, kernels, channels, count, spread);
        for (size_t step : {1, 2, 3, 4, 8})
            for (size_t ranks : {16, 48}) cell_cases(table, kernels, count, step, ranks);
    }
    for (int count : {1, 5, 37})
        for (int radius : {0, 1, 4, 12}) filter_cases(table, kernels, count, radius);
}

}  // namespace kernel_cases
