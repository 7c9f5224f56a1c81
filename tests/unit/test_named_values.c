/* Named values in texts, what kind of value each is, and shapes as JSON. */
#include <check.h>
#include <string.h>

#include "base/text.h"
#include "run_suite.h"
#include "store/heads.h"
#include "store/shape_functions.h"
#include "text/named_values.h"

START_TEST(items_one_by_one)
{
    static const struct {
        const char *name, *value;
        bool flag;
    } items[] = {
        {"d", "64", false}, {"causal", "", true}, {"mask", "", false}, {"w", "1:=2", false}};
    const char *text = "d=64,causal,,mask=,w=1:=2,";
    sqa_named_value item;
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        ck_assert(sqa_named_value_next(&text, &item));
        ck_assert_str_eq(item.name, items[i].name);
        ck_assert_str_eq(item.value, items[i].value);
        ck_assert_int_eq(item.flag, items[i].flag);
    }
    ck_assert(!sqa_named_value_next(&text, &item));
    ck_assert(sqa_named_value_find("hd=1,d=2,d=3", "d", &item));
    ck_assert_str_eq(item.value, "2");
    ck_assert(!sqa_named_value_find("hd=1", "d", &item));
}
END_TEST

START_TEST(overlong_items_are_cut)
{
    char text[400];
    sqa_named_value item;
    memset(text, 'n', sizeof text);
    text[100] = '=';
    memcpy(text + 390, ",d=1", 5);
    const char *at = text;
    ck_assert(sqa_named_value_next(&at, &item));
    ck_assert_uint_eq(strlen(item.name), sizeof item.name - 1);
    ck_assert_uint_eq(strlen(item.value), sizeof item.value - 1);
    ck_assert(sqa_named_value_next(&at, &item));
    ck_assert_str_eq(item.value, "1");
}
END_TEST

START_TEST(kinds_of_values)
{
    static const struct {
        const char *text;
        bool integer, number;
    } cases[] = {
        {"0", true, true},      {"-7", true, true},      {"999999999999999999", true, true},
        {"07", false, false},   {"", false, false},      {"9999999999999999999", false, true},
        {"-", false, false},    {"+1", false, false},    {"0.125", false, true},
        {".5", false, false},   {"1.", false, false},    {"1e-38", false, true},
        {"1e", false, false},   {"1e999", false, false}, {"nan", false, false},
        {"0x10", false, false}, {"1:2", false, false},   {"1 ", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sqa_named_value item = {.flag = false};
        int64_t integer;
        double number;
        strcpy(item.value, cases[i].text);
        ck_assert_msg(sqa_named_value_integer(&item, &integer) == cases[i].integer &&
                          sqa_named_value_number(&item, &number) == cases[i].number,
                      "'%s'", cases[i].text);
    }
}
END_TEST

START_TEST(shapes_as_json)
{
    static const struct {
        const char *shape, *json;
    } cases[] = {
        {"", "{}"},
        {"b=1,causal,window=8:0,softcap=30.5",
         "{\"b\":1,\"causal\":true,\"window\":\"8:0\",\"softcap\":30.5}"},
        {"op=select_blocks,d=64,mask=", "{\"d\":64,\"mask\":\"\"}"},
        {"x=\"\\\n\",\"y", "{\"x\":\"\\\"\\\\\\u000a\\\"\",\"\\\"y\":true}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sqa_text json = SQA_TEXT_INIT;
        sqa_shape_fields(cases[i].shape, &json);
        ck_assert_str_eq(sqa_text_get(&json), cases[i].json);
        sqa_text_free(&json);
    }
}
END_TEST

START_TEST(heads_in_shapes)
{
    uint32_t q, kv;
    ck_assert(sqa_shape_heads("b=1,hq=8,hkv=2,n=3", &q, &kv));
    ck_assert_uint_eq(q, 8);
    ck_assert_uint_eq(kv, 2);
    ck_assert(!sqa_shape_heads("b=1,hq=8", &q, &kv));
    ck_assert(!sqa_shape_heads("hq=8,hkv=x", &q, &kv));
    ck_assert(sqa_shape_same_but_heads("b=1,hq=8,hkv=2,n=3", "b=1,hq=4,hkv=4,n=3"));
    ck_assert(sqa_shape_same_but_heads("b=1,n=3", "hq=1,b=1,n=3,hkv=4"));
    ck_assert(!sqa_shape_same_but_heads("b=1,hq=8,n=3", "b=1,hq=8,n=33"));
    ck_assert(!sqa_shape_same_but_heads("b=1,hq=8,n=3,causal", "b=1,hq=8,n=3"));
    ck_assert(!sqa_shape_same_but_heads("hqx=1", "hqx=2"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("named_values");
    TCase *tests = tcase_create("texts");
    tcase_add_test(tests, items_one_by_one);
    tcase_add_test(tests, overlong_items_are_cut);
    tcase_add_test(tests, kinds_of_values);
    tcase_add_test(tests, shapes_as_json);
    tcase_add_test(tests, heads_in_shapes);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
