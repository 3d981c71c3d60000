#include "piecewise_linear.h"

#include <cstring>

#include "activation_of_results.h"
#include "table.h"

namespace kernel_cases {
namespace {

void apply_case(Table &table, int which, int count) {
    Random random(uint64_t(count + 1));
    const ResultActivation activation(which, 1);
    const size_t n = size_t(count);
    Floats x(n, random, -8, 8), y(n + 8, random), sum(n + 8), own(n);
    std::vector<double> values(n + 8), sums(n + 8);
    for (size_t i = 0; i < n + 8; i++) {
        sum[i] = y[i];
        sums[i] = values[i] = double(y[i]);  // what lies after them stays
    }
    for (size_t i = 0; i < n; i++) {
        own[i] = x[i];
        values[i] = activation(double(x[i]), 0);
        sums[i] = activation(double(x[i] + sum[i]), 0);
    }
    piecewise_linear_apply(table.level, activation.kernel(), x.data(), y.data(), count);
    table.compare(named("piecewise_linear_apply", {which, count}), y.data(), values, 1e-7);
    piecewise_linear_apply_to_sum(table.level, activation.kernel(), x.data(), sum.data(), count);
    table.compare(named("piecewise_linear_apply_to_sum", {which, count}), sum.data(), sums, 1e-7);
    piecewise_linear_apply(table.level, activation.kernel(), own.data(), own.data(), count);
    table.require(named("piecewise_linear_apply in place", {which, count}),
                  std::memcmp(own.data(), y.data(), n * sizeof(float)) == 0);
}

// The bits of numbers that are neither finite nor of one sign.
void special_case(Table &table) {
    const float x[] = {NAN, -0.0f, 0.0f, -INFINITY, INFINITY, -0x1p-149f, -3, 3};
    const float relu[] = {NAN, -0.0f, 0.0f, 0.0f, INFINITY, 0.0f, 0.0f, 3};
    constexpr int count = sizeof x / sizeof *x;
    Floats found(count);
    const auto same = [&](const float *expected) {
        for (size_t i = 0; i < count; i++)
            if (std::isnan(expected[i]) ? !std::isnan(found[i])
                                        : std::memcmp(&found[i], expected + i, sizeof(float)) != 0)
                return false;
        return true;
    };
    piecewise_linear_apply(table.level, ResultActivation(0, 1).kernel(), x, found.data(), count);
    table.require("no activation changes no bit", same(x));
    piecewise_linear_apply(table.level, ResultActivation(1, 1).kernel(), x, found.data(), count);
    table.require("a ReLU of numbers that are not finite", same(relu));
}

}  // namespace

void piecewise_linear_cases(Table &table) {
    for (int which = 0; which < result_activations; which++) {
        table.require("only one function is the identity",
                      bool(piecewise_linear_is_identity(ResultActivation(which, 1).kernel())) == (which == 0));
        for (int count : {0, 1, table.width() - 1, table.width(), 3 * table.width() + 2})
            apply_case(table, which, count);
    }
    special_case(table);
}

}  // namespace kernel_cases
