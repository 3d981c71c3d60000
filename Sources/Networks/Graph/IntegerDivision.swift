/// The largest number that divides both; both are positive.
/// - Complexity: O(log(a + b)).
func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }

/// The quotient a / b rounded towards minus infinity; `b` is positive.
func floorDivide(_ a: Int, _ b: Int) -> Int { a >= 0 ? a / b : -((-a + b - 1) / b) }
