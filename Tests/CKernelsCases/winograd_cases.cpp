#include "winograd.h"

#include "activation_of_results.h"
#include "table.h"

namespace kernel_cases {
namespace {

constexpr int lanes = WINOGRAD_LANES;
int cube(int n) { return n * n * n; }

const char *name_of(enum winograd_scheme scheme) {
    switch (scheme) {
    case WINOGRAD_CONVOLUTION_2: return "F(2, 3)";
    case WINOGRAD_CONVOLUTION_4: return "F(4, 3)";
    case WINOGRAD_TRANSPOSED: return "F(2, 2) transposed";
    case WINOGRAD_STRIDED: return "F(2, 2) strided";
    }
    return "";
}

// Along one axis, the taps through which result `result` of a tile sees value `value` of its patch; -1 for none.
int tap_between(enum winograd_scheme scheme, int result, int value) {
    int tap = -1, taps = winograd_shape(scheme).taps;
    switch (scheme) {
    case WINOGRAD_CONVOLUTION_2:
    case WINOGRAD_CONVOLUTION_4: tap = value - result; break;
    case WINOGRAD_TRANSPOSED: tap = result + 1 - 2 * (value - 1); break;
    case WINOGRAD_STRIDED: tap = value - 2 * result; break;
    }
    return tap >= 0 && tap < taps ? tap : -1;
}

// The maxima that winograd_inverse stores beside those of the results that it stores.
void pooled_case(Table &table, enum winograd_scheme scheme, int tiles, int inputs, int outputs, const Floats &sums,
                 ptrdiff_t sum_stride, const Floats &bias,
                 const ResultActivation &activation) {
    const int results = winograd_shape(scheme).results, half = results / 2;
    const int width = tiles * results, pooled_width = tiles * half - 1 + (tiles == 1);
    Floats all(size_t(outputs * results * results * width));
    struct winograd_target target = {all.data(), results * results * width, results * width, width, outputs,
                                     0, results, results, width, bias.data(), activation.kernel(), 0, 0};
    winograd_inverse(table.level, scheme, tiles, 1, sums.data(), sum_stride, lanes, &target);
    Floats found(size_t(outputs * half * half * pooled_width), -7);
    std::vector<double> expected(found.size(), -7);
    // The last plane and row are not written where there are two.
    const int planes = half == 1 ? 1 : half - 1;
    target = {found.data(), half * half * pooled_width, half * pooled_width, pooled_width, outputs,
              0, planes, planes, pooled_width, bias.data(), activation.kernel(), 1, 0};
    winograd_inverse(table.level, scheme, tiles, 1, sums.data(), sum_stride, lanes, &target);
    for (int output = 0; output < outputs; output++)
        for (int z = 0; z < planes; z++)
            for (int y = 0; y < planes; y++)
                for (int x = 0; x < pooled_width; x++) {
                    double best = -INFINITY;
                    for (int tap = 0; tap < 8; tap++) {
                        const int row = (output * results + 2 * z + tap / 4) * results + 2 * y + tap / 2 % 2;
                        best = std::fmax(best, all[size_t(row * width + 2 * x + tap % 2)]);
                    }
                    expected[size_t(((output * half + z) * half + y) * pooled_width + x)] = best;
                }
    table.compare(named(std::string(name_of(scheme)) + ", pooled", {tiles, inputs, outputs}), found.data(), expected, 0);
}

// A row of tiles from voxels to voxels, for one input channel block and one of outputs, beside direct summation.
void row_case(Table &table, enum winograd_scheme scheme, int tiles, int inputs, int outputs, int which, bool adds) {
    const struct winograd_shape s = winograd_shape(scheme);
    Random random(uint64_t(tiles * 100 + inputs));
    const int points = cube(s.points), products = cube(s.products), sums = cube(s.sums), taps = cube(s.taps);
    const int width = (tiles - 1) * s.step + s.patch, result_width = tiles * s.results - 1;
    const ptrdiff_t voxels = ptrdiff_t(s.patch) * s.patch * width;
    Floats source(size_t(inputs * voxels), random), kernels(size_t(inputs * outputs * taps), random);
    Floats box(size_t(voxels * lanes));
    for (int row = 0; row < s.patch * s.patch; row++)
        winograd_interleave(table.level, source.data() + row * width, voxels, inputs, width, 0, width,
                            box.data() + row * width * lanes);
    const ptrdiff_t stride = tiles * lanes + 16, product_stride = inputs * lanes + 16;
    Floats values(size_t(points * stride)), weights(size_t(products * product_stride)), found(size_t(sums * stride));
    winograd_forward(table.level, scheme, tiles, 1, box.data(), ptrdiff_t(s.patch) * width * lanes, width * lanes,
                     values.data(), stride, lanes);
    const struct winograd_kernels layout = {taps, ptrdiff_t(inputs) * taps, 0};
    for (int input = 0; input < inputs; input++)
        winograd_transform_kernels(table.level, scheme, &layout, outputs, kernels.data() + input * taps,
                                   weights.data() + input * lanes, product_stride);
    std::vector<bool> has_sum(size_t(sums), false);
    for (int product = 0; product < products; product++) {
        const int sum = winograd_sum(scheme, product);
        winograd_multiply(table.level, tiles, inputs, lanes, values.data() + winograd_point(scheme, product) * stride,
                          lanes, weights.data() + product * product_stride, found.data() + sum * stride, lanes,
                          has_sum[size_t(sum)]);
        has_sum[size_t(sum)] = true;
    }
    Floats bias(lanes, random);
    const ResultActivation activation(which, lanes);
    const ptrdiff_t result_voxels = ptrdiff_t(s.results) * s.results * result_width;
    // What lies there before: the other summand where results are added.
    Floats results(size_t(outputs * result_voxels), random);
    // The first plane, the last row and the last column are not written.
    const struct winograd_target target = {results.data(), result_voxels, ptrdiff_t(s.results) * result_width,
                                           result_width, outputs, 1, s.results, s.results - 1, result_width,
                                           bias.data(), activation.kernel(), 0, adds};
    std::vector<double> expected(results.data(), results.data() + results.size());
    winograd_inverse(table.level, scheme, tiles, 1, found.data(), stride, lanes, &target);
    pooled_case(table, scheme, tiles, inputs, outputs, found, stride, bias, activation);

    for (int output = 0; output < outputs; output++)
        for (int z = 1; z < s.results; z++)
            for (int y = 0; y < s.results - 1; y++)
                for (int x = 0; x < result_width; x++) {
                    const int first = x / s.results * s.step;
                    double sum = bias[size_t(output)];
                    for (int input = 0; input < inputs; input++)
                        for (int value = 0; value < cube(s.patch); value++) {
                            const int vz = value / s.patch / s.patch, vy = value / s.patch % s.patch, vx = value % s.patch;
                            const int tz = tap_between(scheme, z, vz), ty = tap_between(scheme, y, vy),
                                      tx = tap_between(scheme, x % s.results, vx);
                            if (tz < 0 || ty < 0 || tx < 0) continue;
                            sum += double(source[size_t(input * voxels + (vz * s.patch + vy) * width + first + vx)]) *
                                   kernels[size_t((output * inputs + input) * taps + (tz * s.taps + ty) * s.taps + tx)];
                        }
                    double &voxel =
                        expected[size_t(output * result_voxels + (z * s.results + y) * result_width + x)];
                    voxel = activation(adds ? sum + voxel : sum, output);
                }
    // A bound lowers the greatest result, but not the errors.
    table.compare(named(name_of(scheme), {tiles, inputs, outputs}), results.data(), expected,
                  activation.kernel().upper < INFINITY ? 2e-5 : 5e-6);
}

// <inverse(sums), results> = <sums, forward_adjoint(results)>, and the same for the transforms of kernels.
void adjoint_case(Table &table, enum winograd_scheme scheme) {
    const struct winograd_shape s = winograd_shape(scheme);
    Random random(5);
    const int sums = cube(s.sums), results = cube(s.results), taps = cube(s.taps), products = cube(s.products);
    Floats m(size_t(sums * lanes), random), y(size_t(results * lanes), random), voxels(size_t(results * lanes));
    Floats zero(lanes), adjoint(size_t(sums * lanes));
    const struct winograd_target target = {voxels.data(), results, s.results * s.results, s.results, lanes,
                                           0, s.results, s.results, s.results, zero.data(),
                                           ResultActivation(0, lanes).kernel(), 0, 0};
    winograd_inverse(table.level, scheme, 1, 1, m.data(), lanes, lanes, &target);
    winograd_forward_adjoint(table.level, scheme, 1, 1, y.data(), s.results * s.results * lanes, s.results * lanes,
                             adjoint.data(), lanes, lanes);
    std::vector<double> left(lanes, 0), right(lanes, 0);
    for (int lane = 0; lane < lanes; lane++) {
        for (int i = 0; i < results; i++)
            left[size_t(lane)] += double(voxels[size_t(lane * results + i)]) * y[size_t(i * lanes + lane)];
        for (int i = 0; i < sums; i++)
            right[size_t(lane)] += double(m[size_t(i * lanes + lane)]) * adjoint[size_t(i * lanes + lane)];
    }
    table.compare(std::string("adjoint of the inverse, ") + name_of(scheme), left, right, 1e-5);

    for (int is_flipped : {0, 1}) {
        const int outputs = lanes - 3;
        Floats g(size_t(outputs * taps), random), u(size_t(products * lanes), random);
        Floats transformed(size_t(products * lanes), -7), gradient(size_t(outputs * taps));
        const struct winograd_kernels layout = {0, taps, is_flipped};
        winograd_transform_kernels(table.level, scheme, &layout, outputs, g.data(), transformed.data(), lanes);
        winograd_transform_kernels_adjoint(table.level, scheme, &layout, outputs, u.data(), lanes, gradient.data());
        std::vector<double> forward(lanes, 0), backward(lanes, 0);
        for (int lane = 0; lane < lanes; lane++) {
            for (int i = 0; i < products; i++)
                forward[size_t(lane)] += double(transformed[size_t(i * lanes + lane)]) * u[size_t(i * lanes + lane)];
            for (int i = 0; i < taps && lane < outputs; i++)
                backward[size_t(lane)] += double(g[size_t(lane * taps + i)]) * gradient[size_t(lane * taps + i)];
        }
        table.compare(std::string("adjoint of the kernels' transform, ") + name_of(scheme), forward, backward, 1e-5);
    }
}

// Tiles of interleaved grids along x give what the tiles of each grid alone give; `forward` is winograd_forward or its
// adjoint, which read `patch` values of a tile and the next tile's from `step` values on.
template <class Forward>
void dilated_forward_case(Table &table, const std::string &name, Forward forward, int patch, int step, int values,
                          int tiles, int dilation) {
    Random random(uint64_t(tiles + dilation));
    const int positions = (tiles + dilation - 1) / dilation, length = (positions - 1) * step + patch;
    const ptrdiff_t row = ptrdiff_t(length) * dilation * lanes, stride = tiles * lanes + 16;
    Floats box(size_t(patch * patch * row), random), grid(size_t(patch * patch * length * lanes));
    Floats found(size_t(values * stride));
    forward(tiles, dilation, box.data(), patch * row, row, found.data(), stride);
    std::vector<double> expected(found.size());
    for (int first = 0; first < dilation && first < tiles; first++) {
        for (int yz = 0; yz < patch * patch; yz++)
            for (int x = 0; x < length * lanes; x++)
                grid[size_t(yz * length * lanes + x)] =
                    box[size_t(yz * row + (x / lanes * dilation + first) * lanes + x % lanes)];
        const int own = (tiles - first + dilation - 1) / dilation;
        Floats alone(size_t(values * own * lanes));
        forward(own, 1, grid.data(), ptrdiff_t(patch) * length * lanes, ptrdiff_t(length) * lanes, alone.data(),
                own * lanes);
        for (int value = 0; value < values; value++)
            for (int i = 0; i < own * lanes; i++)
                expected[size_t(value * stride + (i / lanes * dilation + first) * lanes + i % lanes)] =
                    alone[size_t(value * own * lanes + i)];
    }
    table.compare(named(name + ", dilated", {tiles, dilation}), found.data(), expected, 0);
}

void dilated_inverse_case(Table &table, enum winograd_scheme scheme, int width, int dilation, int outputs) {
    const struct winograd_shape s = winograd_shape(scheme);
    Random random(uint64_t(width + dilation));
    const int of_position = s.results * dilation, rest = width % of_position;
    const int tiles = width / of_position * dilation + (rest < dilation ? rest : dilation);
    const ptrdiff_t stride = tiles * lanes + 16, plane = ptrdiff_t(s.results) * width, channel = s.results * plane;
    Floats sums(size_t(cube(s.sums) * stride), random), bias(lanes, random);
    Floats found(size_t(outputs * channel), -7);
    const ResultActivation relu(1, lanes);
    struct winograd_target target = {found.data(), channel, plane, width, outputs, 0, s.results, s.results,
                                     width, bias.data(), relu.kernel(), 0, 0};
    winograd_inverse(table.level, scheme, tiles, dilation, sums.data(), stride, lanes, &target);
    std::vector<double> expected(found.size());
    for (int first = 0; first < dilation && first < width; first++) {
        const int own = (tiles - first + dilation - 1) / dilation;
        const int own_width = (width - first + dilation - 1) / dilation;
        const ptrdiff_t own_channel = ptrdiff_t(s.results) * s.results * own_width;
        Floats grid(size_t(cube(s.sums) * own * lanes)), alone(size_t(outputs * own_channel));
        for (int sum = 0; sum < cube(s.sums); sum++)
            for (int i = 0; i < own * lanes; i++)
                grid[size_t(sum * own * lanes + i)] =
                    sums[size_t(sum * stride + (i / lanes * dilation + first) * lanes + i % lanes)];
        target = {alone.data(), own_channel, ptrdiff_t(s.results) * own_width, own_width, outputs,
                  0, s.results, s.results, own_width, bias.data(), relu.kernel(), 0, 0};
        winograd_inverse(table.level, scheme, own, 1, grid.data(), own * lanes, lanes, &target);
        for (size_t row = 0; row < size_t(outputs * s.results * s.results); row++)
            for (int x = 0; x < own_width; x++)
                expected[row * size_t(width) + size_t(x * dilation + first)] =
                    alone[row * size_t(own_width) + size_t(x)];
    }
    table.compare(named(std::string("winograd_inverse, dilated, ") + name_of(scheme), {width, dilation, outputs}),
                  found.data(), expected, 0);
}

void dilated_cases(Table &table, enum winograd_scheme scheme, int tiles, int dilation) {
    const struct winograd_shape s = winograd_shape(scheme);
    dilated_forward_case(
        table, std::string("winograd_forward, ") + name_of(scheme),
        [&](int count, int apart, const float *box, ptrdiff_t plane, ptrdiff_t row, float *values, ptrdiff_t stride) {
            winograd_forward(table.level, scheme, count, apart, box, plane, row, values, stride, lanes);
        },
        s.patch, s.step, cube(s.points), tiles, dilation);
    dilated_forward_case(
        table, std::string("winograd_forward_adjoint, ") + name_of(scheme),
        [&](int count, int apart, const float *box, ptrdiff_t plane, ptrdiff_t row, float *values, ptrdiff_t stride) {
            winograd_forward_adjoint(table.level, scheme, count, apart, box, plane, row, values, stride, lanes);
        },
        s.results, s.results, cube(s.sums), tiles, dilation);
}

void interleave_case(Table &table, int channels, int width, int before, int length) {
    Random random(9);
    const ptrdiff_t stride = width + 3;
    Floats source(size_t(channels * stride), random), target(size_t(length * lanes), -7);
    winograd_interleave(table.level, source.data(), stride, channels, width, before, length, target.data());
    std::vector<double> expected;
    for (int x = 0; x < length; x++)
        for (int lane = 0; lane < lanes; lane++) {
            const int from = x - before;
            expected.push_back(lane < channels && from >= 0 && from < width ? source[size_t(lane * stride + from)] : 0);
        }
    table.compare(named("winograd_interleave", {channels, width, before, length}), target.data(), expected, 0);
}

// weights[input][output] += points[tile][input] * sums[tile][output].
void multiply_adjoint_case(Table &table, int tiles, int inputs, int outputs, int accumulates) {
    Random random(uint64_t(tiles + inputs));
    const int point_stride = inputs + 3;
    Floats points(size_t(tiles * point_stride), random), sums(size_t(tiles * outputs), random);
    Floats weights(size_t(inputs * outputs), random);
    std::vector<double> expected(weights.size());
    for (int output = 0; output < outputs; output++) {
        const int block = output / (2 * lanes) * 2 * lanes;
        const int columns = outputs - block < 2 * lanes ? outputs - block : 2 * lanes;
        for (int input = 0; input < inputs; input++) {
            const size_t index = size_t(block * inputs + input * columns + output - block);
            double sum = accumulates ? weights[index] : 0;
            for (int tile = 0; tile < tiles; tile++)
                sum += double(points[size_t(tile * point_stride + input)]) * sums[size_t(tile * outputs + output)];
            expected[index] = sum;
        }
    }
    winograd_multiply_adjoint(table.level, tiles, inputs, outputs, points.data(), point_stride, sums.data(), outputs,
                              weights.data(), accumulates);
    table.compare(named("winograd_multiply_adjoint", {tiles, inputs, outputs}), weights.data(), expected, 2e-6);
}

}  // namespace

void winograd_cases(Table &table) {
    for (auto scheme : {WINOGRAD_CONVOLUTION_2, WINOGRAD_CONVOLUTION_4, WINOGRAD_TRANSPOSED, WINOGRAD_STRIDED}) {
        for (int which = 0; which < result_activations; which++)
            for (bool adds : {false, true}) {
                row_case(table, scheme, 1, 1, 1, which, adds);
                row_case(table, scheme, 3, 5, 16, which, adds);
                row_case(table, scheme, 9, 16, 11, which, adds);
            }
        adjoint_case(table, scheme);
    }
    for (auto scheme : {WINOGRAD_CONVOLUTION_2, WINOGRAD_CONVOLUTION_4})
        for (int dilation : {2, 3, 5, 16}) {
            dilated_cases(table, scheme, 2 * dilation + 1, dilation);
            dilated_cases(table, scheme, dilation - 1, dilation);
            dilated_inverse_case(table, scheme, 9 * dilation + 1, dilation, 16);
            dilated_inverse_case(table, scheme, 4 * dilation - 1, dilation, 5);
            dilated_inverse_case(table, scheme, dilation - 1, dilation, 1);
        }
    interleave_case(table, 16, 16, 0, 16);
    interleave_case(table, 5, 37, 1, 44);
    interleave_case(table, 13, 3, 2, 6);
    interleave_case(table, 1, 9, 0, 7);
    for (int accumulates : {0, 1}) {
        multiply_adjoint_case(table, 7, 9, 48, accumulates);
        multiply_adjoint_case(table, 64, 33, 32, accumulates);
        multiply_adjoint_case(table, 1, 1, 16, accumulates);
    }
}

}  // namespace kernel_cases
