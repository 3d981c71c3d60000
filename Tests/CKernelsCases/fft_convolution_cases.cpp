#include "fft_convolution.h"

#include "activation_of_results.h"
#include "table.h"

namespace kernel_cases {
namespace {

struct Extents {
    int depth, height, width;
    long count() const { return long(depth) * height * width; }
    bool operator==(const Extents &other) const {
        return depth == other.depth && height == other.height && width == other.width;
    }
};

// Extents after pooling windows of two, the last of which may be cut.
Extents halved(const Extents &e) { return {(e.depth + 1) / 2, (e.height + 1) / 2, (e.width + 1) / 2}; }

// One tile size with the passes from voxels to spectra and back.
class Transform {
  public:
    Transform(enum kernels_level level, Extents extents)
        : tile{extents.depth, extents.height, extents.width, level}, extents(extents),
          frequency_row_floats(ptrdiff_t(extents.width) * vector()) {}

    const struct fft_tile tile;
    const Extents extents;
    const ptrdiff_t frequency_row_floats;

    int planes() const { return extents.depth / 2 + 1; }
    int columns() const { return extents.width / fft_vector_width(tile.level); }
    int frequency_rows() const { return planes() * extents.height / fft_vector_width(tile.level); }
    size_t spectrum_floats() const { return size_t(frequency_rows() * frequency_row_floats); }
    // Floats of a complex vector: from one frequency to the next where a spectrum lies alone.
    ptrdiff_t vector() const { return 2 * fft_vector_width(tile.level); }

    // The spectrum of voxels that fill only `box` of the tile.
    Floats forward(const float *voxels, const struct fft_box &box) {
        const ptrdiff_t plane = 2 * ptrdiff_t(extents.height) * extents.width;
        Floats depth(spectrum_floats()), frequency_rows_of_tile(spectrum_floats()), spectrum(spectrum_floats());
        fft_forward_depth(&tile, voxels, ptrdiff_t(extents.height) * extents.width, extents.width, &box,
                          extents.height, columns(), depth.data(), plane);
        fft_forward_height(&tile, depth.data(), plane, planes(), extents.height, columns(),
                           frequency_rows_of_tile.data(), frequency_row_floats);
        for (int b = 0; b < frequency_rows(); b++)
            fft_forward_width(&tile, frequency_rows_of_tile.data() + b * frequency_row_floats, extents.width,
                              spectrum.data() + b * frequency_row_floats, vector());
        return spectrum;
    }

    // Voxels from `skip` on of the correlation whose spectrum this is; two spectra were multiplied, each doubled.
    // Where it `pools`, the largest of every 2 x 2 x 2 of them, the extents rounded up. Those `before` are added.
    std::vector<float> inverse(const float *spectrum, Extents skip, Extents kept, float bias,
                               const ResultActivation &activation, bool pools = false, bool adds = false,
                               const std::vector<float> &before = {}) {
        const int lanes = fft_vector_width(tile.level);
        const int rows = (kept.height + 1) / 2 * 2, vectors = (kept.width + lanes - 1) / lanes;
        const ptrdiff_t stride = 2 * ptrdiff_t(rows) * vectors * lanes;
        const ptrdiff_t frequency_row = vectors * lanes * vector();
        Floats depth(size_t(planes() * stride)), frequency_rows_of_tile(size_t(frequency_rows() * frequency_row));
        for (int b = 0; b < frequency_rows(); b++)
            fft_inverse_width(&tile, spectrum + b * frequency_row_floats, vector(), skip.width, vectors * lanes,
                              frequency_rows_of_tile.data() + b * frequency_row);
        if (adds)
            for (int b = 0; b < frequency_rows(); b++)
                fft_inverse_width_adding(&tile, spectrum + b * frequency_row_floats, vector(), kept.width,
                                         frequency_rows_of_tile.data() + b * frequency_row);
        fft_inverse_height(&tile, frequency_rows_of_tile.data(), frequency_row, planes(), skip.height, rows,
                           vectors, depth.data(), stride);
        const struct fft_store store = {skip.depth, kept.depth, kept.height, kept.width,
                                        0.25f / float(extents.count()), bias, activation.kernel(), pools,
                                        !before.empty()};
        const Extents stored = pools ? halved(kept) : kept;
        std::vector<float> voxels = before.empty() ? std::vector<float>(size_t(stored.count())) : before;
        fft_inverse_depth(&tile, depth.data(), stride, vectors, &store, voxels.data(),
                          ptrdiff_t(stored.height) * stored.width, stored.width);
        return voxels;
    }
};

const Extents kernel = {3, 2, 5};
const ResultActivation no_activation(0, 1);


double at(const Floats &volume, const Extents &e, int z, int y, int x) {
    const auto wrap = [](int i, int n) { return ((i % n) + n) % n; };
    return volume[size_t((wrap(z, e.depth) * e.height + wrap(y, e.height)) * e.width + wrap(x, e.width))];
}

// sum over `count` pairs of sources[i] at +-(dz, dy, dx) times kernels[i].
double correlation(const Extents &e, const std::vector<std::pair<const Floats *, const Floats *>> &pairs, int sign,
                   int z, int y, int x) {
    double sum = 0;
    for (const auto &pair : pairs)
        for (int dz = 0; dz < kernel.depth; dz++)
            for (int dy = 0; dy < kernel.height; dy++)
                for (int dx = 0; dx < kernel.width; dx++)
                    sum += at(*pair.first, e, z + sign * dz, y + sign * dy, x + sign * dx) *
                           at(*pair.second, e, dz, dy, dx);
    return sum;
}

struct Problem {
    Extents extents;
    int inputs, outputs, tiles;
};

class Case {
  public:
    Case(Table &table, const Problem &problem)
        : table(table), problem(problem), e(problem.extents), transform(table.level, e),
          name(named("tile", {e.depth, e.height, e.width}) + named(", channels and tiles",
                                                                  {problem.inputs, problem.outputs, problem.tiles})) {
        Random random(31);
        const struct fft_box all = {0, e.depth, 0, e.height, 0, e.width};
        const struct fft_box part = {1, e.depth - 1, 1, e.height - 2, 2, e.width - 3};
        const struct fft_box corner = {0, kernel.depth, 0, kernel.height, 0, kernel.width};
        for (int i = 0; i < problem.inputs * problem.tiles; i++) add(inputs, input_spectra, random, i % 2 ? part : all);
        for (int i = 0; i < problem.outputs * problem.tiles; i++) add(gradients, gradient_spectra, random, all);
        for (int i = 0; i < problem.outputs * problem.inputs; i++) add(kernels, kernel_spectra, random, corner);
    }

    void run() {
        const int pairs = problem.inputs * problem.outputs;
        const ptrdiff_t vector = transform.vector();
        const size_t floats = transform.spectrum_floats(), frequencies = size_t(e.width);
        const ptrdiff_t input_step = (problem.inputs * problem.tiles + 1) * vector;
        const ptrdiff_t output_step = (problem.outputs * problem.tiles + 1) * vector;
        const ptrdiff_t step = input_step + output_step;
        std::vector<Floats> results(size_t(problem.outputs * problem.tiles), Floats{floats});
        std::vector<Floats> adjoints(size_t(problem.inputs * problem.tiles), Floats{floats});
        std::vector<Floats> weight_gradients(size_t(pairs), Floats{floats});
        for (int frequency_row = 0; frequency_row < transform.frequency_rows(); frequency_row++) {
            const Floats weights = gathered({&kernel_spectra}, frequency_row, pairs * vector);
            const struct fft_channels forwards = {problem.inputs, problem.outputs, problem.tiles, input_step,
                                                  output_step};
            const Floats sources = gathered({&input_spectra}, frequency_row, input_step);
            Floats products(frequencies * size_t(output_step));
            fft_multiply(&transform.tile, &forwards, weights.data(), sources.data(), products.data());
            scattered(products, results, frequency_row, output_step);
            const struct fft_channels backwards = {problem.inputs, problem.outputs, problem.tiles, output_step,
                                                   input_step};
            const Floats outputs = gathered({&gradient_spectra}, frequency_row, output_step);
            Floats adjoint(frequencies * size_t(input_step));
            fft_multiply_adjoint(&transform.tile, &backwards, weights.data(), outputs.data(), adjoint.data());
            scattered(adjoint, adjoints, frequency_row, input_step);
            const struct fft_channels both = {problem.inputs, problem.outputs, problem.tiles, step, 0};
            const Floats all = gathered({&input_spectra, &gradient_spectra}, frequency_row, step);
            Floats sums(frequencies * size_t(pairs * vector), 7);
            fft_accumulate(&transform.tile, &both, all.data(),
                           all.data() + problem.inputs * problem.tiles * vector, sums.data());
            scattered(sums, weight_gradients, frequency_row, pairs * vector);
        }
        compare_products(results);
        compare_adjoints(adjoints);
        compare_weight_gradients(weight_gradients);
    }

  private:
    Table &table;
    const Problem problem;
    const Extents e;
    Transform transform;
    const std::string name;
    std::vector<Floats> inputs, gradients, kernels;
    std::vector<Floats> input_spectra, gradient_spectra, kernel_spectra;

    void add(std::vector<Floats> &volumes, std::vector<Floats> &spectra, Random &random, const struct fft_box &box) {
        Floats voxels(size_t(e.count()), random);
        spectra.push_back(transform.forward(voxels.data(), box));
        for (int z = 0; z < e.depth; z++)
            for (int y = 0; y < e.height; y++)
                for (int x = 0; x < e.width; x++)
                    if (z < box.z_begin || z >= box.z_end || y < box.y_begin || y >= box.y_end || x < box.x_begin ||
                        x >= box.x_end)
                        voxels[size_t((z * e.height + y) * e.width + x)] = 0;
        volumes.push_back(voxels);
    }

    // One frequency row of some spectra frequency by frequency, `step` floats apart.
    Floats gathered(const std::vector<const std::vector<Floats> *> &lists, int frequency_row, ptrdiff_t step) const {
        const size_t floats = size_t(transform.frequency_row_floats), vector = size_t(transform.vector());
        Floats joined(floats / vector * size_t(step));
        size_t slot = 0;
        for (const auto *spectra : lists)
            for (const Floats &spectrum : *spectra) {
                for (size_t k = 0; k < floats; k++)
                    joined[k / vector * size_t(step) + slot * vector + k % vector] =
                        spectrum[size_t(frequency_row) * floats + k];
                slot++;
            }
        return joined;
    }

    void scattered(const Floats &joined, std::vector<Floats> &spectra, int frequency_row, ptrdiff_t step) const {
        const size_t floats = size_t(transform.frequency_row_floats), vector = size_t(transform.vector());
        for (size_t i = 0; i < spectra.size(); i++)
            for (size_t k = 0; k < floats; k++)

                                   spectra[i][size_t(frequency_row) * floats + k] = joined[k / vector * size_t(step) + i * vector + k % vector];
    }

    // Every voxel of a small tile, some of a large one.
    template <typename Value>
    void compare(const std::string &what, Extents skip, Extents kept, const std::vector<float> &found, Value value) {
        const long step = 1 + kept.count() / 3000;
        std::vector<double> some, expected;
        for (long i = 0; i < kept.count(); i += step) {
            const int x = int(i % kept.width), y = int(i / kept.width % kept.height);
            const int z = int(i / (long(kept.width) * kept.height));
            some.push_back(found[size_t(i)]);
            expected.push_back(value(z + skip.depth, y + skip.height, x + skip.width));
        }
        table.compare(what + ", " + name, some, expected, 2e-6);
    }

    void compare_products(const std::vector<Floats> &results) {
        const Extents skip = {1, 2, 3}, kept = {e.depth - 2, e.height - 3, e.width - 4};
        for (int o = 0; o < problem.outputs; o++)
            for (int t = 0; t < problem.tiles; t++) {
                std::vector<std::pair<const Floats *, const Floats *>> pairs;
                for (int i = 0; i < problem.inputs; i++)
                    pairs.push_back({&inputs[size_t(i * problem.tiles + t)], &kernels[size_t(o * problem.inputs + i)]});
                const ResultActivation activation((o + t) % result_activations, 1);
                const float *spectrum = results[size_t(o * problem.tiles + t)].data();
                const auto value = [&](int z, int y, int x) {
                    return activation(0.25 + correlation(e, pairs, 1, z, y, x), 0);
                };
                compare("fft_multiply", skip, kept, transform.inverse(spectrum, skip, kept, 0.25f, activation), value);
                Random random(uint64_t(o + t));
                const Floats before(size_t(kept.count()), random);
                compare("fft_inverse_depth, added", skip, kept,
                        transform.inverse(spectrum, skip, kept, 0.25f, activation, false, false,
                                          {before.data(), before.data() + before.size()}),
                        [&](int z, int y, int x) {
                            const int row = (z - skip.depth) * kept.height + y - skip.height;
                            return activation(0.25 + correlation(e, pairs, 1, z, y, x) +
                                                  double(before[size_t(row * kept.width + x - skip.width)]),
                                              0);
                        });
                compare("fft_inverse_depth, pooled", {0, 0, 0}, halved(kept),
                        transform.inverse(spectrum, skip, kept, 0.25f, activation, true), [&](int z, int y, int x) {
                            double most = -1e30;
                            for (int dz = 0; dz < 2 && 2 * z + dz < kept.depth; dz++)
                                for (int dy = 0; dy < 2 && 2 * y + dy < kept.height; dy++)
                                    for (int dx = 0; dx < 2 && 2 * x + dx < kept.width; dx++) {
                                        const double next = value(2 * z + dz + skip.depth, 2 * y + dy + skip.height,
                                                                  2 * x + dx + skip.width);
                                        if (next > most) most = next;
                                    }
                            return most;
                        });
            }
    }

    void compare_adjoints(const std::vector<Floats> &adjoints) {
        for (int i = 0; i < problem.inputs; i++)
            for (int t = 0; t < problem.tiles; t++) {
                std::vector<std::pair<const Floats *, const Floats *>> pairs;
                for (int o = 0; o < problem.outputs; o++)
                    pairs.push_back(
                        {&gradients[size_t(o * problem.tiles + t)], &kernels[size_t(o * problem.inputs + i)]});
                compare("fft_multiply_adjoint", {0, 0, 0}, e,
                        transform.inverse(adjoints[size_t(i * problem.tiles + t)].data(), {0, 0, 0}, e, 0,
                                          no_activation),
                        [&](int z, int y, int x) { return correlation(e, pairs, -1, z, y, x); });
            }
    }

    // At the kernel's taps only: that is all of a weight gradient that is ever used.
    void compare_weight_gradients(const std::vector<Floats> &sums) {
        for (int o = 0; o < problem.outputs; o++)
            for (int i = 0; i < problem.inputs; i++)
                compare("fft_accumulate", {0, 0, 0}, kernel,
                        transform.inverse(sums[size_t(o * problem.inputs + i)].data(), {0, 0, 0}, kernel, 0,
                                          no_activation, false,
                                          true),
                        [&](int dz, int dy, int dx) {
                            double sum = 0;
                            for (int t = 0; t < problem.tiles; t++)
                                for (int z = 0; z < e.depth; z++)
                                    for (int y = 0; y < e.height; y++)
                                        for (int x = 0; x < e.width; x++)
                                            sum += at(inputs[size_t(i * problem.tiles + t)], e, z + dz, y + dy,
                                                      x + dx) *
                                                   at(gradients[size_t(o * problem.tiles + t)], e, z, y, x);
                            return 2 * sum;  // added twice
                        });
    }
};

}  // namespace

void fft_convolution_cases(Table &table) {
    table.require("fft_vector_width", fft_vector_width(table.level) == table.width());
    int depth_count, width_count;
    const int *depths = fft_depths(&depth_count), *widths = fft_widths(&width_count);
    table.require("fft_depths and fft_widths are not empty", depth_count > 0 && width_count > 0);
    for (int i = 0; i < depth_count; i++) Case(table, {{depths[i], widths[0], widths[0]}, 1, 1, 1}).run();
    for (int i = 1; i < width_count; i++) {
        Case(table, {{depths[0], widths[i], widths[0]}, 1, 1, 1}).run();
        Case(table, {{depths[0], widths[0], widths[i]}, 1, 1, 1}).run();
    }
    for (int outputs : {1, 2, 3, 5})
        for (int inputs : {1, 3})
            for (int tiles : {1, 2, 3, 7}) Case(table, {{depths[0], widths[0], widths[1]}, inputs, outputs, tiles}).run();
}

}  // namespace kernel_cases
