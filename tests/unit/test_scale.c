/* The two parts of a scale: together the scale, each in the range that kernels rely on. */
#include <check.h>
#include <float.h>
#include <math.h>

#include "kernels/scale.h"
#include "run_suite.h"

static const float scales[] = {1.0f,     -1.0f,   0.125f,   0.0883883461f, -0.3f,    20.0f,
                               1e-20f,   1e19f,   1e38f,    0x1p126f,      3e38f,    FLT_MAX,
                               -FLT_MAX, FLT_MIN, -FLT_MIN, 1e-39f,        0x1p-149f};
enum { SCALES = sizeof scales / sizeof *scales };

START_TEST(parts_of_a_scale)
{
    const double scaled = (double)scales[_i] * 1.4426950408889634;
    const sqa_scale_parts parts = sqa_scale_divide(scales[_i]);
    const double product = (double)parts.query_factor * (double)parts.score_power;
    const float magnitude = fabsf(parts.query_factor);
    int exponent;
    ck_assert_double_eq_tol(product / scaled, 1.0, 6e-8);
    ck_assert_float_eq(frexpf(parts.score_power, &exponent), 0.5f); /* a power of two */
    ck_assert_int_ge(exponent - 1, SQA_SCORE_POWER_LOW);
    ck_assert_int_le(exponent - 1, SQA_SCORE_POWER_HIGH);
    ck_assert_float_ge(magnitude, FLT_MIN);
    ck_assert_float_le(magnitude, FLT_MAX);
    if (fabs(scaled) >= 0x1p-23 && fabs(scaled) < 0x1p25) {
        ck_assert_float_ge(magnitude, 1.0f);
        ck_assert_float_le(magnitude, 2.0f);
        ck_assert_float_eq(parts.flow_factor, 1.0f);
    }
    ck_assert_float_eq(frexpf(parts.flow_factor, &exponent), 0.5f); /* a power of two */
    ck_assert_double_eq((double)parts.flow_factor * (double)parts.sum_factor, (double)scales[_i]);
    ck_assert_float_ge(fabsf(parts.sum_factor), FLT_MIN);
    ck_assert_float_le(fabsf(parts.sum_factor), FLT_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("scale");
    TCase *tests = tcase_create("scale");
    tcase_add_loop_test(tests, parts_of_a_scale, 0, SCALES);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
