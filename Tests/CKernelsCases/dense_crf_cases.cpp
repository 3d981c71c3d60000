#include "dense_crf_row.h"

namespace kernel_cases {
namespace {

std::vector<double> first(const Floats &values, size_t count) {
    return std::vector<double>(values.data(), values.data() + count);
}

// The first `count` floats of each of `rows` rows.
std::vector<double> rows_of(const Floats &values, size_t rows, size_t stride, size_t count) {
    std::vector<double> found;
    for (size_t row = 0; row < rows; row++)
        found.insert(found.end(), values.data() + row * stride, values.data() + row * stride + count);
    return found;
}

void mix_cases(Table &table, Kernels kernels, size_t count, size_t positions) {
    Random random(37);
    const size_t stride = padded(count), in_stride = stride + 16;
    Floats cells(3 * stride, random), in(positions * in_stride, random), w(3 * positions, random);
    Floats out(positions * in_stride);
    const std::string name = named("", {long(count), long(positions)});
    std::vector<double> distributed = first(cells, 3 * stride);
    std::vector<double> combined;
    for (size_t p = 0; p < positions; p++)
        for (size_t i = 0; i < count; i++) {
            double sum = 0;
            for (size_t t = 0; t < 3; t++) {
                sum += double(w[3 * p + t]) * cells[t * stride + i];
                distributed[t * stride + i] += double(w[3 * p + t]) * in[p * in_stride + i];
            }
            combined.push_back(sum);
        }
    kernels.combine(out.data(), in_stride, cells.data(), stride, w.data(), positions, count);
    table.compare("combine" + name, rows_of(out, positions, in_stride, count), combined, 1e-6);
    kernels.distribute(cells.data(), stride, in.data(), in_stride, w.data(), positions, count);
    std::vector<double> expected;
    for (size_t t = 0; t < 3; t++)
        expected.insert(expected.end(), distributed.begin() + long(t * stride),
                        distributed.begin() + long(t * stride + count));
    table.compare("distribute" + name, rows_of(cells, 3, stride, count), expected, 2e-6);
}

void transform_case(Table &table, Kernels kernels, size_t ranks, size_t count) {
    Random random(39);
    Floats cells(count * ranks, random), matrices(2 * ranks * ranks, random);
    for (size_t r = 0; r < ranks; r++)
        for (size_t c = 0; c < ranks; c++) {
            if (c < r) matrices[r * ranks + c] = 0;
            if (c > r) matrices[(ranks + r) * ranks + c] = 0;
        }
    std::vector<double> expected;
    for (size_t cell = 0; cell < count; cell++) {
        std::vector<double> x(cells.data() + cell * ranks, cells.data() + (cell + 1) * ranks);
        for (size_t matrix = 0; matrix < 2; matrix++) {
            std::vector<double> product(ranks);
            for (size_t r = 0; r < ranks; r++)
                for (size_t c = 0; c < ranks; c++) product[c] += matrices[(matrix * ranks + r) * ranks + c] * x[r];
            x = product;
        }
        expected.insert(expected.end(), x.begin(), x.end());
    }
    kernels.transform(cells.data(), matrices.data(), ranks, count);
    table.compare(named("transform", {long(ranks), long(count)}), cells.data(), expected, 2e-6);
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

void cell_cases(Table &table, Kernels kernels, const CRFRow &input) {
    const CRFShape &shape = input.shape;
    Random random(45);
    const size_t stride = input.padded_count;
    Floats grid((input.cells + 16) * shape.channels * shape.ranks, random);
    Floats values(stride * shape.channels, random), factors(stride, random);
    const struct dense_crf_row row = input.row();
    std::vector<double> sliced(shape.channels * shape.count);
    std::vector<double> splat(input.cells * shape.channels * shape.ranks), scaled(splat.size());
    for (size_t c = 0; c < shape.channels; c++)
        for (size_t x = 0; x < shape.count; x++)
            for (size_t t = 0; t < 3; t++)
                for (size_t r = 0; r < shape.ranks; r++) {
                    const size_t cell = input.offset(x / shape.step + t, c, r);
                    const double part = input.weights[t][x] * input.feature(x, r);
                    sliced[c * shape.count + x] += part * grid[cell];
                    splat[cell] += part * values[c * stride + x];
                    scaled[cell] += part * values[c * stride + x] * factors[x];
                }
    Floats out(stride * shape.channels);
    kernels.slice_row(out.data(), stride, grid.data(), &row);
    table.compare("slice_row" + shape.text(), rows_of(out, shape.channels, stride, shape.count), sliced, 2e-5);
    for (bool has_factors : {false, true}) {
        Floats written(splat.size() + 16, 5), scratch(3 * (padded(shape.count) + 32));
        kernels.splat_row(written.data(), values.data(), stride, has_factors ? factors.data() : nullptr,
                          scratch.data(), &row);
        table.compare("splat_row" + shape.text(), written.data(), has_factors ? scaled : splat, 3e-6);
    }
}

// Classes of which several have no channel and are like class 0, or of which each has one.
void several_others_cases(Table &table, Kernels kernels, size_t channels, size_t count, float others) {
    Random random(59);
    const size_t stride = padded(count);
    Floats logits(channels * stride, random, -9, 9);
    std::vector<double> differences(channels * stride), best(count + 1, 99);
    for (size_t i = 0; i < count; i++) {
        double sum = others, highest = others > 0 ? 0 : -INFINITY;
        best[i] = 0;
        for (size_t c = 0; c < channels; c++) {
            const double logit = logits[c * stride + i];
            sum += std::exp(logit);
            if (logit > highest) best[i] = double(c + 1), highest = logit;
        }
        for (size_t c = 0; c < channels; c++)
            differences[c * stride + i] = (std::exp(double(logits[c * stride + i])) - (others > 0 ? 1 : 0)) / sum;
    }
    const std::string name = named("", {long(channels), long(count), long(others)});
    std::vector<uint8_t> labels(count + 1, 99);
    kernels.labels(labels.data(), logits.data(), stride, channels, others, count);
    table.compare("labels among others" + name, std::vector<double>(labels.begin(), labels.end()), best, 0);
    kernels.differences(logits.data(), logits.data(), stride, channels, others, count);
    for (size_t c = 0; c < channels; c++)
        table.compare("differences to others" + name, logits.data() + c * stride,
                      std::vector<double>(differences.begin() + long(c * stride),
                                          differences.begin() + long(c * stride + count)),
                      2e-6);
}

void extrema_cases(Table &table, Kernels kernels, size_t rows, size_t count) {
    Random random(61);
    const size_t blocks = (count + 7) / 8;
    Floats values(rows * count, random, -3, 3), lowest(blocks + 1, 7), highest(blocks + 1, 7);
    std::vector<double> least(blocks + 1, 7), most(blocks + 1, 7);
    for (size_t block = 0; block < blocks; block++) {
        least[block] = INFINITY;
        most[block] = -INFINITY;
        for (size_t row = 0; row < rows; row++)
            for (size_t x = 8 * block; x < count && x < 8 * block + 8; x++) {
                least[block] = std::fmin(least[block], values[row * count + x]);
                most[block] = std::fmax(most[block], values[row * count + x]);
            }
    }
    kernels.extrema(lowest.data(), highest.data(), values.data(), rows, count);
    const std::string name = named("", {long(rows), long(count)});
    table.compare("extrema: lowest" + name, lowest.data(), least, 0);
    table.compare("extrema: highest" + name, highest.data(), most, 0);
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
    std::vector<uint8_t> labels(count + 1, 99);
    std::vector<double> best(count + 1, 99);
    for (size_t i = 0; i < count; i++) {
        best[i] = 0;
        for (size_t c = 1; c <= channels; c++)
            if (logits[(c - 1) * stride + i] > (best[i] == 0 ? 0 : logits[size_t(best[i] - 1) * stride + i]))
                best[i] = double(c);
    }
    kernels.labels(labels.data(), logits.data(), stride, channels, 1, count);
    table.compare(named("labels", {long(channels), long(count)}), std::vector<double>(labels.begin(), labels.end()),
                  best, 0);
    kernels.differences(out.data(), logits.data(), stride, channels, 1, count);
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
        for (size_t positions : {1, 2, 3, 4, 7}) mix_cases(table, kernels, count, positions);
        exact_cases(table, kernels, count);
        for (size_t channels : {1, 2, 5})
            for (float spread : {1.0f, 20.0f}) probability_cases(table, kernels, channels, count, spread);
        for (size_t channels : {1, 2, 5})
            for (float others : {0.0f, 1.0f, 12.0f}) several_others_cases(table, kernels, channels, count, others);
        for (size_t rows : {1, 64}) extrema_cases(table, kernels, rows, count);
        for (size_t step : {1, 2, 3, 4, 8})
            for (size_t ranks : {16, 48})
                for (size_t channels : {1, 3})
                    for (size_t modalities : {1, 2, 3})
                        cell_cases(table, kernels, CRFRow({count, step, ranks, channels, modalities}, 1));
    }
    for (int count : {1, 5, 37})
        for (int radius : {0, 1, 4, 12}) filter_cases(table, kernels, count, radius);
    for (size_t ranks : {16, 32, 48})
        for (size_t count : {1, 2, 5, 8}) transform_case(table, kernels, ranks, count);
    dense_crf_pass_cases(table);
}

}  // namespace kernel_cases
