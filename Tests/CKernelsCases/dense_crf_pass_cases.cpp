#include "dense_crf_row.h"

namespace kernel_cases {
namespace {

// One pass over the second of two planes of voxels.
struct PassShape {
    CRFShape row;
    size_t rows, appearance_step, smoothness_step, across;  // across: the smoothness kernel's step along i
    bool has_appearance, has_smoothness, has_factors, excludes_self, is_last;

    std::string text() const {
        return row.text() + named(" rows", {long(rows), long(appearance_step), long(smoothness_step), long(across)}) +
               named(" with", {has_appearance, has_smoothness, has_factors, excludes_self, is_last});
    }
};

// A plane of cells: what is received, and what was in `sent` before.
struct Cells {
    Cells(size_t rows, size_t step, size_t row_floats, size_t slack, Random &random)
        : step(step), row_floats(row_floats), weights(3 * step, random, 0, 1),
          received((rows + 2) * row_floats + slack, random), sent((rows + 2) * row_floats + slack, random),
          slack(slack) {}

    const size_t step, row_floats;
    const Floats weights;
    Floats received, sent;

    // The weight of cell row j / step + t for voxel row j.
    double weight(size_t j, size_t t) const { return step == 1 ? t == 1 : weights[3 * (j % step) + t]; }
    size_t offset(size_t j, size_t t) const { return (j / step + t) * row_floats; }

    // With one voxel per cell, cells are written and not added to.
    void clear_written(std::vector<double> &cells, size_t rows) const {
        for (size_t i = row_floats; step == 1 && i < (rows + 1) * row_floats; i++) cells[i] = 0;
    }

    struct dense_crf_plane plane(bool receives, bool sends) {
        return {receives ? received.data() : nullptr, sends ? sent.data() : nullptr, row_floats, slack, step,
                weights.data()};
    }

  private:
    const size_t slack;
};

// What the definition gives for one pass, in double precision.
class Pass {
  public:
    Pass(Table &table, const PassShape &shape)
        : table(table), shape(shape), kernels(*dense_crf_kernels_for(table.level)), input(shape.row, 2 * shape.rows),
          random(59), channels(shape.row.channels), count(shape.row.count), volume(2 * shape.rows * count + 32),
          appearance(shape.rows, shape.appearance_step, input.cells * channels * shape.row.ranks,
                     16 * channels * shape.row.ranks, random),
          smoothness(shape.rows, shape.smoothness_step, channels * stride(), 32, random),
          across_weights(3 * shape.across, random, 0, 1),
          logits(channels * volume, random, -2, 2), differences(channels * volume, random), before(volume, random, 0.5f, 1),
          after(volume, random, 0.5f, 1) {
        for (size_t axis = 0; axis < 3; axis++) {
            along_before.push_back(Floats(count + shape.rows + 32, random, 0.5f, 1));
            along_after.push_back(Floats(count + shape.rows + 32, random, 0.5f, 1));
        }
    }

    void update() {
        struct dense_crf_pass pass = described();
        std::vector<uint8_t> labels(volume, 99);
        Floats marginals((channels + 1) * volume, -7);
        if (shape.is_last) {
            pass.labels = labels.data();
            pass.marginals = marginals.data();
        }
        std::vector<double> sent_appearance = values(appearance.sent), sent_smoothness = values(smoothness.sent);
        std::vector<double> new_differences = values(differences), new_marginals = values(marginals);
        std::vector<double> new_labels(volume, 99);
        if (!shape.is_last) {
            if (shape.has_appearance) appearance.clear_written(sent_appearance, shape.rows);
            if (shape.has_smoothness) smoothness.clear_written(sent_smoothness, shape.rows);
        }
        for (size_t j = 0; j < shape.rows; j++)
            for (size_t x = 0; x < count; x++) {
                const size_t voxel = (shape.rows + j) * count + x;
                const std::vector<double> q = probabilities(j, x);
                if (shape.is_last) {
                    new_labels[voxel] = 0;
                    for (size_t c = 0; c <= channels; c++) {
                        new_marginals[c * volume + voxel] = q[c];
                        if (q[c] > q[size_t(new_labels[voxel])]) new_labels[voxel] = double(c);
                    }
                    continue;
                }
                for (size_t c = 0; c < channels; c++) {
                    const double difference = q[c + 1] - q[0];
                    if (shape.excludes_self) new_differences[c * volume + voxel] = difference;
                    send(sent_appearance, j, x, c, difference * (shape.has_factors ? before[voxel] : 1));
                    send_smoothness(sent_smoothness, j, x, c, difference);
                }
            }
        // In two parts, as two workers would.
        const size_t half = shape.rows / 2;
        kernels.update_rows(&pass, 1, 0, half, scratch(pass).data());
        kernels.update_rows(&pass, 1, half, shape.rows, scratch(pass).data());
        const std::string name = "update_rows" + shape.text();
        table.compare(name + ", labels", std::vector<double>(labels.begin(), labels.end()), new_labels, 0);
        table.compare(name + ", marginals", marginals.data(), new_marginals, 3e-6);
        table.compare(name + ", differences", differences.data(), new_differences, 3e-6);
        compare_cells(name + ", appearance", appearance.sent, sent_appearance, appearance.row_floats);
        compare_cells(name + ", smoothness", smoothness.sent, sent_smoothness, smoothness.row_floats);
    }

    // Row sums: ones are sent, and messages received without an update.
    void sums() {
        struct dense_crf_pass pass = described();
        pass.differences = nullptr;
        pass.appearance_before = nullptr;
        pass.smoothness = smoothness.plane(false, false);
        pass.appearance.sent = appearance.sent.data();
        std::vector<double> sent = values(appearance.sent), received(volume, -7);
        appearance.clear_written(sent, shape.rows);
        for (size_t j = 0; j < shape.rows; j++)
            for (size_t x = 0; x < count; x++) {
                send(sent, j, x, 0, 1);
                received[(shape.rows + j) * count + x] = message(j, x, 0);
            }
        kernels.send_ones(&pass, 1, 0, shape.rows, scratch(pass).data());
        compare_cells("send_ones" + shape.text(), appearance.sent, sent, appearance.row_floats);
        Floats found(volume, -7);
        kernels.receive_sums(&pass, 1, 0, shape.rows, found.data(), scratch(pass).data());
        table.compare("receive_sums" + shape.text(), found.data(), received, 3e-6);
    }

  private:
    Table &table;
    const PassShape shape;
    Kernels kernels;
    const CRFRow input;
    Random random;
    const size_t channels, count, volume;
    Cells appearance, smoothness;
    const Floats across_weights;
    Floats logits, differences, before, after;
    std::vector<Floats> along_before, along_after;
    const float appearance_weight = 0.05f, smoothness_weight = 0.3f;

    size_t cells() const { return (count + shape.across - 1) / shape.across + 2; }
    size_t stride() const { return (cells() + 30) / 16 * 16; }
    double across_weight(size_t x, size_t s) const {
        return shape.across == 1 ? s == 1 : across_weights[3 * (x % shape.across) + s];
    }

    static std::vector<double> values(const Floats &floats) {
        return std::vector<double>(floats.data(), floats.data() + floats.size());
    }

    Floats scratch(const struct dense_crf_pass &pass) const { return Floats(dense_crf_scratch_floats(&pass)); }

    struct dense_crf_pass described() {
        struct dense_crf_pass pass = {};
        pass.rows = shape.rows;
        pass.row = input.row();
        if (shape.has_appearance) pass.appearance = appearance.plane(true, !shape.is_last);
        if (shape.has_smoothness) pass.smoothness = smoothness.plane(true, !shape.is_last);
        pass.logits = logits.data();
        pass.logit_stride = volume;
        pass.marginal_stride = volume;
        pass.differences = shape.excludes_self ? differences.data() : nullptr;
        pass.excludes_self = shape.excludes_self;
        pass.appearance_weight = appearance_weight;
        pass.smoothness_weight = smoothness_weight;
        pass.smoothness_step = shape.across;
        pass.smoothness_cells = cells();
        pass.smoothness_stride = stride();
        pass.smoothness_weights = across_weights.data();
        if (shape.has_factors) {
            pass.appearance_before = before.data();
            pass.appearance_after = after.data();
        }
        for (size_t axis = 0; axis < 3; axis++) {
            pass.smoothness_before[axis] = along_before[axis].data();
            pass.smoothness_after[axis] = along_after[axis].data();
        }
        return pass;
    }

    // The appearance kernel's message to voxel x of row j.
    double message(size_t j, size_t x, size_t c) const {
        double sum = 0;
        for (size_t t = 0; t < 3; t++)
            for (size_t s = 0; s < 3; s++)
                for (size_t r = 0; r < shape.row.ranks; r++)
                    sum += appearance.weight(j, t) * input.weights[s][x] *
                           input.feature((shape.rows + j) * count + x, r) *
                           appearance.received[appearance.offset(j, t) + input.offset(x / shape.row.step + s, c, r)];
        return sum;
    }

    // Its adjoint.
    void send(std::vector<double> &cells, size_t j, size_t x, size_t c, double value) const {
        if (!shape.has_appearance) return;
        for (size_t t = 0; t < 3; t++)
            for (size_t s = 0; s < 3; s++)
                for (size_t r = 0; r < shape.row.ranks; r++)
                    cells[appearance.offset(j, t) + input.offset(x / shape.row.step + s, c, r)] +=
                        appearance.weight(j, t) * input.weights[s][x] *
                        input.feature((shape.rows + j) * count + x, r) * value;
    }

    // What the smoothness kernel's cells get from a voxel of one channel.
    void send_smoothness(std::vector<double> &cells, size_t j, size_t x, size_t c, double value) const {
        const double factor = along_before[0][x] * along_before[1][j] * along_before[2][1];
        for (size_t t = 0; t < 3 && shape.has_smoothness; t++)
            for (size_t s = 0; s < 3; s++)
                cells[smoothness.offset(j, t) + c * stride() + x / shape.across + s] +=
                    smoothness.weight(j, t) * across_weight(x, s) * value * factor;
    }

    // The logits of class 0, which are 0, and of every channel.
    std::vector<double> scores(size_t j, size_t x) const {
        const size_t voxel = (shape.rows + j) * count + x;
        std::vector<double> q(1, 0);
        for (size_t c = 0; c < channels; c++) {
            const double self = shape.excludes_self ? differences[c * volume + voxel] : 0;
            double logit = logits[c * volume + voxel];
            if (shape.has_appearance) {
                const double own = self * (shape.has_factors ? before[voxel] : 1);
                logit += appearance_weight * (shape.has_factors ? after[voxel] : 1) * (message(j, x, c) - own);
            }
            if (shape.has_smoothness) {
                double received = -self * along_before[0][x] * along_before[1][j] * along_before[2][1];
                for (size_t t = 0; t < 3; t++)
                    for (size_t s = 0; s < 3; s++)
                        received += smoothness.weight(j, t) * across_weight(x, s) *
                                    smoothness.received[smoothness.offset(j, t) + c * stride() + x / shape.across + s];
                logit += smoothness_weight * along_after[0][x] * along_after[1][j] * along_after[2][1] * received;
            }
            q.push_back(logit);
        }
        return q;
    }

    std::vector<double> probabilities(size_t j, size_t x) const {
        std::vector<double> q = scores(j, x);
        double highest = 0, sum = 0;
        for (double logit : q) highest = std::fmax(highest, logit);
        for (double &logit : q) sum += logit = std::exp(logit - highest);
        for (double &value : q) value /= sum;
        return q;
    }

    // Without what lies after a row of smoothness cells, which is written and never used.
    void compare_cells(const std::string &name, const Floats &found, std::vector<double> expected, size_t row_floats) {
        std::vector<double> kept = values(found);
        for (size_t i = 0; row_floats == channels * stride() && i < kept.size(); i++)
            if (i % stride() >= cells()) kept[i] = expected[i] = 0;
        table.compare(name, kept, expected, 1e-5);
    }
};

}  // namespace

void dense_crf_pass_cases(Table &table) {
    for (size_t channels : {1, 2})
        for (size_t step : {2, 3, 4})
            for (size_t along : {1, 2, 4})
                for (int how = 0; how < 16; how++) {
                    const bool has_appearance = how & 1, has_smoothness = how & 2;
                    const CRFShape row = {37, step, 16, channels, has_smoothness ? 2u : 1u};
                    const PassShape shape = {row, 7, along, along == 1 ? 3 : 1u, size_t(1) << (how % 4),
                                             has_appearance, has_smoothness, bool(how & 4), bool(how & 8),
                                             how % 5 == 0};
                    Pass(table, shape).update();
                }
    for (size_t count : {size_t(9), size_t(32), size_t(37)})
        for (size_t step : {size_t(1), size_t(2), size_t(4)})
            for (int which : {1, 2, 3}) dense_crf_brick_cases(table, count, step, which & 1, which & 2);
    for (size_t along : {1, 2, 3, 4})
        Pass(table, {{40, 4, 32, 1, 1}, 9, along, 1, 1, true, false, false, false, false}).sums();
}

}  // namespace kernel_cases
