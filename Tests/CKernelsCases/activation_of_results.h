// The functions that kernels apply to results as they store them.
#pragma once

#include "piecewise_linear.h"

#include "table.h"

namespace kernel_cases {

// How many functions there are: none, a ReLU, a leaky ReLU with a slope for each channel, a clip, and the last two
// together.
constexpr int result_activations = 5;

// One of these functions for `channels` channels. Some slopes are negative or above 1.
class ResultActivation {
  public:
    ResultActivation(int which, int channels) : ResultActivation(which, channels, Random(83)) {}

    struct piecewise_linear kernel() const { return {has_slopes ? slopes.data() : nullptr, lower, upper}; }

    double operator()(double x, int channel) const {
        if (has_slopes && x < 0) x *= double(slopes[size_t(channel)]);
        return x < double(lower) ? double(lower) : x > double(upper) ? double(upper) : x;
    }

  private:
    ResultActivation(int which, int channels, Random random)
        : slopes(size_t(channels), random, -0.5f, 1.5f), has_slopes(which == 2 || which == 4),
          lower(which == 1 ? 0 : which >= 3 ? -0.25f : -INFINITY), upper(which >= 3 ? 8.0f : INFINITY) {}

    Floats slopes;
    bool has_slopes;
    float lower, upper;
};

}  // namespace kernel_cases
