// Values that pass where a gate is open. Included once per instruction set, after elementary_functions.h; no include
// guard on purpose.

// g where scale x + shift > 0; all of g without a gate, which is a constant.
ALWAYS_INLINE VECTOR LEVEL(passed)(VECTOR g, VECTOR x, const struct pointwise_gate *gate) {
    return gate ? CHOOSE((LANES)(x * gate->scale + gate->shift > (VECTOR){0}), g, (VECTOR){0}) : g;
}
ALWAYS_INLINE float LEVEL(passed_one)(float g, float x, const struct pointwise_gate *gate) {
    return !gate || x * gate->scale + gate->shift > 0 ? g : 0;
}
