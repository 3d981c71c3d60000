#include "activation.h"

#include "table.h"

namespace kernel_cases {
namespace {

double normal_distribution(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

double value(const struct activation &f, double x) {
    switch (f.kind) {
    case ACTIVATION_LEAKY_RELU: return x < 0 ? f.a * x : x;
    case ACTIVATION_ELU: return x < 0 ? f.a * std::expm1(x) : x;
    case ACTIVATION_GELU: return x * normal_distribution(x);
    case ACTIVATION_GELU_TANH:
        return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case ACTIVATION_SILU: return x / (1 + std::exp(-x));
    case ACTIVATION_SIGMOID: return 1 / (1 + std::exp(-x));
    case ACTIVATION_TANH: return std::tanh(x);
    case ACTIVATION_CLIP: return x < f.a ? f.a : x > f.b ? f.b : x;
    case ACTIVATION_SOFTPLUS: return std::fmax(x, 0) + std::log1p(std::exp(-std::fabs(x)));
    }
    return NAN;
}

double slope(const struct activation &f, double x) {
    const double s = 1 / (1 + std::exp(-x));
    switch (f.kind) {
    case ACTIVATION_LEAKY_RELU: return x > 0 ? 1 : double(f.a);
    case ACTIVATION_ELU: return x > 0 ? 1 : f.a * std::exp(x);
    case ACTIVATION_GELU: return normal_distribution(x) + x * std::exp(-x * x / 2) / std::sqrt(2 * M_PI);
    case ACTIVATION_GELU_TANH: {
        const double factor = std::sqrt(2 / M_PI), u = factor * (x + 0.044715 * x * x * x), secant = 1 / std::cosh(u);
        return 0.5 * (1 + std::tanh(u)) + 0.5 * x * secant * secant * factor * (1 + 3 * 0.044715 * x * x);
    }
    case ACTIVATION_SILU: return s + x * s * (1 - s);
    case ACTIVATION_SIGMOID: return s * (1 - s);
    case ACTIVATION_TANH: return 1 / (std::cosh(x) * std::cosh(x));
    case ACTIVATION_CLIP: return x > f.a && x < f.b ? 1 : 0;
    case ACTIVATION_SOFTPLUS: return s;
    }
    return NAN;
}

void activation_case(Table &table, const struct activation &f, int count) {
    Random random(47);
    const size_t n = size_t(count);
    Floats x(n, random, -8, 8), g(n, random), y(n + 8, -7.0f);
    x[n / 2] = std::nanf("");
    std::vector<double> values(n + 8, -7), gradients(n);
    for (size_t i = 0; i < n; i++) {
        values[i] = std::isnan(x[i]) ? double(x[i]) : value(f, x[i]);
        gradients[i] = g[i] * slope(f, x[i]);
    }
    activation_apply(table.level, f, x.data(), y.data(), count);
    table.compare(named("activation_apply", {f.kind, count}), y.data(), values, 2e-7);
    // At NaN the slope of some is a number.
    x[n / 2] = 1;
    gradients[n / 2] = g[n / 2] * slope(f, 1);
    activation_gradient(table.level, f, g.data(), x.data(), count);
    table.compare(named("activation_gradient", {f.kind, count}), g.data(), gradients, 1e-6);
    Floats again(n);
    for (size_t i = 0; i < n; i++) again[i] = x[i];
    activation_apply(table.level, f, again.data(), again.data(), count);
    values.resize(n);
    values[n / 2] = value(f, 1);
    table.compare(named("activation_apply in place", {f.kind, count}), again.data(), values, 2e-7);
}

}  // namespace

void activation_cases(Table &table) {
    const struct activation functions[] = {
        {ACTIVATION_LEAKY_RELU, 0.01f, 0}, {ACTIVATION_ELU, 1.5f, 0}, {ACTIVATION_GELU, 0, 0},
        {ACTIVATION_GELU_TANH, 0, 0},      {ACTIVATION_SILU, 0, 0},   {ACTIVATION_SIGMOID, 0, 0},
        {ACTIVATION_TANH, 0, 0},           {ACTIVATION_CLIP, -1, 6},  {ACTIVATION_SOFTPLUS, 0, 0}};
    for (const auto &f : functions)
        for (int count : {1, 3, 4, 15, 16, 17, 33, 5000}) activation_case(table, f, count);
}

}  // namespace kernel_cases
