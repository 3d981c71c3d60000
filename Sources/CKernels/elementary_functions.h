// Exponential, logarithm and error function of vectors. Included once per instruction set by the kernels that
// every_level.h compiles, after vectors.h; no include guard on purpose.

#define CHOOSE(mask, a, b) ((VECTOR)(((LANES)(a) & (mask)) | ((LANES)(b) & ~(mask))))

// exp(x) for x <= 0 within 2 units in the last place: 2^n times a polynomial on
// |r| <= ln(2) / 2. Coefficients as in the Cephes library.
ALWAYS_INLINE VECTOR LEVEL(exponential)(VECTOR x) {
    const VECTOR lowest = (VECTOR){0} - 87.0f;
    // A comparison that NaN fails leaves it as it is.
    x = CHOOSE((LANES)(x < lowest), lowest, x);
    // Adding 1.5 * 2^23 rounds to the nearest integer in the low bits.
    const float shift = 12582912.0f;
    VECTOR shifted = x * 1.44269504f + shift;
    VECTOR n = shifted - shift;
    VECTOR r = x - n * 0.693359375f;
    r = r + n * 2.12194440e-4f;
    VECTOR p = (VECTOR){0} + 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    LANES exponent = ((LANES)shifted << 23) + 0x3F800000;
    return p * (VECTOR)exponent;
}

// log(x) for normal x > 0 within 2 units in the last place: the exponent, and a polynomial around 1 on
// sqrt(1/2) ... sqrt(2). Coefficients as in the Cephes library.
ALWAYS_INLINE VECTOR LEVEL(logarithm)(VECTOR x) {
    LANES bits = (LANES)x;
    LANES exponent = (bits - 0x3F3504F3) >> 23;
    VECTOR e = __builtin_convertvector(exponent, VECTOR);
    x = (VECTOR)(bits - (exponent << 23)) - 1.0f;
    VECTOR p = (VECTOR){0} + 7.0376836292e-2f;
    p = p * x - 1.1514610310e-1f;
    p = p * x + 1.1676998740e-1f;
    p = p * x - 1.2420140846e-1f;
    p = p * x + 1.4249322787e-1f;
    p = p * x - 1.6668057665e-1f;
    p = p * x + 2.0000714765e-1f;
    p = p * x - 2.4999993993e-1f;
    p = p * x + 3.3333331174e-1f;
    VECTOR square = x * x;
    return x + (p * x * square - e * 2.12194440e-4f - 0.5f * square) + e * 0.693359375f;
}

// |x| and x with the sign of `sign`.
ALWAYS_INLINE VECTOR LEVEL(absolute)(VECTOR x) { return (VECTOR)((LANES)x & INT32_MAX); }
ALWAYS_INLINE VECTOR LEVEL(with_sign)(VECTOR x, VECTOR sign) {
    return (VECTOR)(((LANES)x & INT32_MAX) | ((LANES)sign & INT32_MIN));
}

// exp(x) - 1 for x <= 0 within 3 units in the last place: a polynomial above -1/2.
ALWAYS_INLINE VECTOR LEVEL(exponential_less_one)(VECTOR x) {
    VECTOR p = (VECTOR){0} + 2.48015873e-5f;
    p = p * x + 1.98412698e-4f;
    p = p * x + 1.38888889e-3f;
    p = p * x + 8.33333333e-3f;
    p = p * x + 4.16666667e-2f;
    p = p * x + 1.66666667e-1f;
    p = p * x + 0.5f;
    p = p * x * x + x;
    return CHOOSE((LANES)(x < (VECTOR){0} - 0.5f), LEVEL(exponential)(x) - 1.0f, p);
}

// tanh(x) within 3 units in the last place: -(e - 1) / (e + 1) with e = exp(-2 |x|).
ALWAYS_INLINE VECTOR LEVEL(hyperbolic_tangent)(VECTOR x) {
    VECTOR less_one = LEVEL(exponential_less_one)(-2.0f * LEVEL(absolute)(x));
    return LEVEL(with_sign)(less_one / (less_one + 2.0f), x);
}

// The derivative of tanh(x), 4 e / (e + 1)^2 with e = exp(-2 |x|), within 6 units in the last place, above 1e-37.
ALWAYS_INLINE VECTOR LEVEL(squared_secant)(VECTOR x) {
    VECTOR e = LEVEL(exponential)(-2.0f * LEVEL(absolute)(x)), sum = 1.0f + e;
    return 4.0f * e / (sum * sum);
}

// 1 / (1 + exp(-x)) within 3 units in the last place; 0 below 1e-37.
ALWAYS_INLINE VECTOR LEVEL(logistic)(VECTOR x) {
    VECTOR e = LEVEL(exponential)(-LEVEL(absolute)(x));
    e = CHOOSE((LANES)(LEVEL(absolute)(x) > (VECTOR){0} + 86.0f), (VECTOR){0}, e);
    return CHOOSE((LANES)(x < (VECTOR){0}), e, (VECTOR){0} + 1.0f) / (1.0f + e);
}

// The error function within 1e-7: two polynomials, the greater argument's in an exponential. Coefficients by N. Juffa.
ALWAYS_INLINE VECTOR LEVEL(error_function)(VECTOR x) {
    // The error function of 4 is 1 in single precision.
    VECTOR t = LEVEL(absolute)(x);
    t = CHOOSE((LANES)(t > (VECTOR){0} + 4.0f), (VECTOR){0} + 4.0f, t);
    VECTOR square = t * t;
    VECTOR p = t * -1.72853470e-5f + 3.83197126e-4f, q = t * -3.88396438e-3f + 2.42546219e-2f;
    p = p * square + q;
    p = p * t - 1.06777877e-1f;
    p = p * t - 6.34846687e-1f;
    p = p * t - 1.28717512e-1f;
    VECTOR far = LEVEL(with_sign)(1.0f - LEVEL(exponential)(p * t - t), x);
    VECTOR near = square * -5.96761703e-4f + 4.99119423e-3f;
    near = near * square - 2.67681349e-2f;
    near = near * square + 1.12819925e-1f;
    near = near * square - 3.76125336e-1f;
    near = near * square + 1.28379166e-1f;
    near = near * x + x;
    return CHOOSE((LANES)(t > (VECTOR){0} + 0.927734375f), far, near);
}
