#include "dense_crf_row.h"

namespace kernel_cases {
namespace {

// One kernel's cells in a grid that is larger than the brick, which begins two cells after its first along every axis.
struct BrickCells {
    BrickCells(size_t count, size_t rows, size_t planes, size_t step, size_t features, Random &random)
        : step(step), features(features), along_i(cells_along(count, step)), along_j(cells_along(rows, step)),
          row_stride((along_i + 3) * features + 31 & ~size_t(15)), plane_stride((along_j + 3) * row_stride),
          weights(step == 1 ? Floats(3) : mirrored_weights(step, random)), across(weights),
          cells((cells_along(planes, step) + 4) * plane_stride + 20 * features + 32, random),
          scratch(step * along_j * row_floats() + 20 * features + 32) {
        if (step == 1) weights[1] = across[1] = 1;
    }

    const size_t step, features, along_i, along_j, row_stride, plane_stride;
    Floats weights, across;  // across: of the positions along i
    Floats cells, scratch;

    size_t row_floats() const { return features == 1 ? (along_i + 30) / 16 * 16 : along_i * features; }
    double weight(const Floats &of, size_t x, size_t t) const { return of[3 * (x % step) + t]; }
    size_t offset(size_t i, size_t j, size_t k) const {
        return (k + 2) * plane_stride + (j + 2) * row_stride + (i + 2) * features;
    }

    // Calls `body` with the position and the weight of every cell that a voxel touches.
    template <typename Body> void for_each_cell(size_t x, size_t y, size_t z, Body body) const {
        for (size_t a = 0; a < 3; a++)
            for (size_t b = 0; b < 3; b++)
                for (size_t c = 0; c < 3; c++)
                    body(offset(x / step + a, y / step + b, z / step + c), 
                             weight(across, x, a) * weight(weights, y, b) * weight(weights, z, c));
    }

    struct dense_crf_brick brick() {
        return {cells.data() + offset(0, 0, 0), row_stride, plane_stride, along_j, along_i * features, step,
                weights.data(), scratch.data()};
    }
    struct dense_crf_plane plane() const {
        return {nullptr, nullptr, row_floats(), 18 * features + 16, step, weights.data()};
    }
};

}  // namespace

void dense_crf_brick_cases(Table &table, size_t count, size_t step, bool has_appearance, bool has_smoothness) {
    const size_t rows = 7, planes = 6, ranks = 32, voxels = rows * planes * count;
    Random random(67);
    Kernels kernels = *dense_crf_kernels_for(table.level);
    const CRFRow row({count, step, ranks, 1, 1}, rows * planes);
    BrickCells appearance(count, rows, planes, step, ranks, random), smoothness(count, rows, planes, step, 1, random);
    const struct dense_crf_row described = row.row();
    for (size_t i = 0; i < 3 * step; i++) appearance.across[i] = described.block_weights[i];
    Floats before(voxels + 16, random, 0.5f, 1), after(voxels + 16, random, 0.5f, 1);
    std::vector<Floats> along_before, along_after;
    for (size_t axis = 0; axis < 3; axis++) {
        along_before.push_back(Floats(count + 48, random, 0.5f, 1));
        along_after.push_back(Floats(count + 48, random, 0.5f, 1));
    }
    struct dense_crf_pass pass = {};
    pass.rows = rows;
    pass.row = described;
    if (has_appearance) pass.appearance = appearance.plane();
    if (has_smoothness) pass.smoothness = smoothness.plane();
    pass.appearance_weight = 0.05f;
    pass.smoothness_weight = 0.3f;
    pass.appearance_before = before.data();
    pass.appearance_after = after.data();
    pass.smoothness_step = step;
    pass.smoothness_cells = smoothness.along_i;
    pass.smoothness_stride = smoothness.row_floats();
    pass.smoothness_weights = smoothness.across.data();
    for (size_t axis = 0; axis < 3; axis++) {
        pass.smoothness_before[axis] = along_before[axis].data();
        pass.smoothness_after[axis] = along_after[axis].data();
    }

    Floats logits(voxels + 16, random, -2, 2), values(voxels + 16, random);
    std::vector<double> received(logits.data(), logits.data() + voxels);
    std::vector<double> sent(appearance.cells.data(), appearance.cells.data() + appearance.cells.size());
    std::vector<double> smoothed(smoothness.cells.data(), smoothness.cells.data() + smoothness.cells.size());
    for (size_t voxel = 0; voxel < voxels; voxel++) {
        const size_t x = voxel % count, y = voxel / count % rows, z = voxel / count / rows;
        if (has_appearance)
            appearance.for_each_cell(x, y, z, [&](size_t cell, double weight) {
                for (size_t r = 0; r < ranks; r++) {
                    const double part = weight * row.feature(voxel, r);
                    received[voxel] += 0.05f * after[voxel] * part * appearance.cells[cell + r];
                    sent[cell + r] += part * before[voxel] * values[voxel];
                }
            });
        if (has_smoothness)
            smoothness.for_each_cell(x, y, z, [&](size_t cell, double weight) {
                received[voxel] += 0.3f * along_after[0][x] * along_after[1][y] * along_after[2][z] * weight *
                                   smoothness.cells[cell];
                smoothed[cell] +=
                    along_before[0][x] * along_before[1][y] * along_before[2][z] * weight * values[voxel];
            });
    }
    struct dense_crf_brick none = {}, one = has_appearance ? appearance.brick() : none,
                           two = has_smoothness ? smoothness.brick() : none;
    Floats scratch(dense_crf_scratch_floats(&pass));
    const std::string name = named("", {long(count), long(step), has_appearance, has_smoothness});
    kernels.receive_brick(&pass, &one, &two, planes, logits.data(), scratch.data());
    table.compare("receive_brick" + name, logits.data(), received, 2e-5);
    kernels.send_brick(&pass, &one, &two, planes, values.data(), scratch.data());
    table.compare("send_brick" + name + ", appearance", appearance.cells.data(), sent, 1e-5);
    table.compare("send_brick" + name + ", smoothness", smoothness.cells.data(), smoothed, 1e-5);
}

}  // namespace kernel_cases
