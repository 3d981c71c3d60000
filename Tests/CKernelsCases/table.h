// What the cases share: seeded numbers, aligned memory, comparison.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "kernel_cases.h"

namespace kernel_cases {

// SplitMix64: the same numbers on every machine.
class Random {
  public:
    explicit Random(uint64_t seed) : state(seed) {}

    uint64_t next() {
        uint64_t z = state += 0x9E3779B97F4A7C15u;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }
    // Uniform in lower ... upper.
    float uniform(float lower, float upper) {
        return lower + (upper - lower) * float(double(next() >> 11) * 0x1p-53);
    }
    int below(int count) { return int(next() % uint64_t(count)); }

  private:
    uint64_t state;
};

// Floats that start at a multiple of 64 bytes, as the kernels' callers provide them.
class Floats {
  public:
    explicit Floats(size_t count, float value = 0)
        : count(count), memory(static_cast<float *>(::operator new(count * sizeof(float) + 64, std::align_val_t(64)))) {
        for (size_t i = 0; i < count; i++) memory[i] = value;
    }
    Floats(size_t count, Random &random, float lower = -1, float upper = 1) : Floats(count) {
        for (size_t i = 0; i < count; i++) memory[i] = random.uniform(lower, upper);
    }
    Floats(const Floats &other) : Floats(other.count) {
        for (size_t i = 0; i < count; i++) memory[i] = other.memory[i];
    }
    Floats &operator=(const Floats &) = delete;
    ~Floats() { ::operator delete(memory, std::align_val_t(64)); }

    float *data() { return memory; }
    const float *data() const { return memory; }
    size_t size() const { return count; }
    float &operator[](size_t i) { return memory[i]; }
    float operator[](size_t i) const { return memory[i]; }

  private:
    size_t count;
    float *memory;
};

// One run of the cases at one level.
class Table {
  public:
    Table(enum kernels_level level, kernel_case_failure failed, void *context)
        : level(level), failed(failed), context(context) {}

    const enum kernels_level level;
    int compared = 0;

    // Floats in one vector.
    int width() const { return 4 << int(level); }

    // Whether each value is within `tolerance` of the greatest expected one; NaN expects NaN.
    void compare(const std::string &name, const std::vector<double> &found, const std::vector<double> &expected,
                 double tolerance) {
        compared++;
        if (found.size() != expected.size()) return fail(name, "has another number of values");
        double greatest = 1e-30;
        for (double value : expected)
            if (std::isfinite(value)) greatest = std::fmax(greatest, std::fabs(value));
        for (size_t i = 0; i < expected.size(); i++) {
            const bool same = std::isnan(expected[i]) ? std::isnan(found[i])
                                                      : std::fabs(found[i] - expected[i]) <= tolerance * greatest;
            if (same) continue;
            char text[160];
            std::snprintf(text, sizeof text, "value %zu: found %.9g, expected %.9g, greatest %.9g", i, found[i],
                          expected[i], greatest);
            return fail(name, text);
        }
    }

    // The same for floats that lie in memory.
    void compare(const std::string &name, const float *found, const std::vector<double> &expected, double tolerance) {
        compare(name, std::vector<double>(found, found + expected.size()), expected, tolerance);
    }

    void require(const std::string &name, bool condition) {
        compared++;
        if (!condition) fail(name, "does not hold");
    }

  private:
    kernel_case_failure failed;
    void *context;

    void fail(const std::string &name, const std::string &what) {
        failed(context, (std::string(kernels_level_name(level)) + " " + name + ": " + what).c_str());
    }
};

// "name 3 x 5 x 7".
inline std::string named(const std::string &name, std::initializer_list<long> numbers) {
    std::string text = name;
    const char *between = " ";
    for (long number : numbers) {
        text += between + std::to_string(number);
        between = " x ";
    }
    return text;
}

// The cases of each header.
void instruction_set_cases(Table &table);
void gemm_cases(Table &table);
void pointwise_cases(Table &table);
void activation_cases(Table &table);
void piecewise_linear_cases(Table &table);
void pooling_cases(Table &table);
void elementwise_cases(Table &table);
void fft_convolution_cases(Table &table);
void dense_crf_cases(Table &table);
void winograd_cases(Table &table);
void transposed_convolution_cases(Table &table);

}  // namespace kernel_cases
