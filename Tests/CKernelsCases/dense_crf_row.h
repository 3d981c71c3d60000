// A row of voxels with random features, codes and weights, and the memory after it.
#pragma once

#include "dense_crf.h"
#include "table.h"

namespace kernel_cases {

typedef const struct dense_crf_kernels &Kernels;

// Rows are written up to a multiple of 16 and end with at least 16 spare floats.
inline size_t padded(size_t count) { return (count + 15) / 16 * 16 + 16; }

// Cells along an axis of `count` voxels.
inline size_t cells_along(size_t count, size_t step) { return (count - 1) / step + 3; }

// Three weights per position in a block; positions from both ends mirror each other.
inline Floats mirrored_weights(size_t step, Random &random) {
    Floats weights(3 * step, random, 0, 1);
    for (size_t position = 0; position < (step + 1) / 2; position++) {
        if (step - 1 - position == position) weights[3 * position + 2] = weights[3 * position];
        for (size_t cell = 0; cell < 3; cell++)
            weights[3 * (step - 1 - position) + cell] = weights[3 * position + 2 - cell];
    }
    return weights;
}

struct CRFShape {
    size_t count, step, ranks, channels, modalities;

    std::string text() const {
        return named("", {long(count), long(step), long(ranks), long(channels), long(modalities)});
    }
};

// `rows` rows of voxels, dense, and the weights that they share.
class CRFRow {
  public:
    CRFRow(const CRFShape &shape, size_t rows)
        : shape(shape), padded_count(padded(shape.count)), cells(cells_along(shape.count, shape.step)) {
        Random random(43);
        const size_t voxels = rows * shape.count + 32;
        for (size_t m = 0; m < shape.modalities; m++) {
            std::vector<uint16_t> drawn(voxels);
            for (uint16_t &code : drawn) code = uint16_t(random.below(levels));
            codes.push_back(drawn);
            features.push_back(Floats(levels * shape.ranks, random, 0.2f, 1));
        }
        block.push_back(mirrored_weights(shape.step, random));
        for (size_t t = 0; t < 3; t++) {
            weights.push_back(Floats(padded_count + 16));
            for (size_t x = 0; x < shape.count; x++) weights[t][x] = block[0][3 * (x % shape.step) + t];
        }
    }

    const CRFShape shape;
    const size_t padded_count, cells;
    std::vector<Floats> weights;

    // Feature `rank` of a voxel, counted over all rows.
    double feature(size_t voxel, size_t rank) const {
        double product = 1;
        for (size_t m = 0; m < shape.modalities; m++)
            product *= features[m][(rank / 16 * levels + codes[m][voxel]) * 16 + rank % 16];
        return product;
    }

    // Where a value of a row of cells lies.
    size_t offset(size_t cell, size_t channel, size_t rank) const {
        return (cell * shape.channels + channel) * shape.ranks + rank;
    }

    struct dense_crf_row row() const {
        struct dense_crf_row row = {};
        for (size_t m = 0; m < shape.modalities; m++) {
            row.codes[m] = codes[m].data();
            row.features[m] = features[m].data();
            row.levels[m] = levels;
        }
        row.modalities = shape.modalities;
        row.ranks = shape.ranks;
        row.channels = shape.channels;
        row.count = shape.count;
        row.step = shape.step;
        row.cells = cells;
        row.block_weights = block[0].data();
        for (size_t t = 0; t < 3; t++) row.weights[t] = weights[t].data();
        return row;
    }

  private:
    static const int levels = 20;
    std::vector<std::vector<uint16_t>> codes;
    std::vector<Floats> features, block;
};

// The cases of whole passes, which dense_crf_cases runs too.
void dense_crf_pass_cases(Table &table);
// The cases of one brick of `count` voxels along i, with either kernel or both.
void dense_crf_brick_cases(Table &table, size_t count, size_t step, bool has_appearance, bool has_smoothness);

}  // namespace kernel_cases
