/* .npy files: what NumPy writes is read, what is written reads back, and no file,
 * however hostile, does worse than a one-line error that names it. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "problem/storage.h"
#include "run_suite.h"
#include "sqa_cl/status.h"
#include "text/npy.h"

static char folder[64], path[96];

static const sqa_npy_wish four = {SQA_NPY_FLOATS, 4, 4, "(B, H, N, D)"};

static void set_up(void)
{
    snprintf(folder, sizeof folder, "/tmp/sqa_npy_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/t.npy", folder);
}

static void tear_down(void)
{
    unlink(path);
    ck_assert_msg(rmdir(folder) == 0, "a file was left behind");
}

static void write_bytes(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static void write_tensor(const sqa_npy *tensor)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    sqa_npy_write(file, tensor);
    ck_assert_int_eq(ferror(file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

/* A file of the version given, with `header` padded by blanks, then `floats`. */
static size_t make_file(unsigned char *out, unsigned major, const char *header, size_t floats)
{
    size_t length = strlen(header), width = major == 1 ? 2 : 4;
    memcpy(out, "\x93NUMPY", 6);
    out[6] = (unsigned char)major;
    out[7] = 0;
    for (size_t i = 0; i < width; i++)
        out[8 + i] = (unsigned char)(length >> (8 * i));
    memcpy(out + 8 + width, header, length);
    for (size_t i = 0; i < floats; i++) {
        float value = (float)i;
        memcpy(out + 8 + width + length + 4 * i, &value, 4);
    }
    return 8 + width + length + 4 * floats;
}

#define HEADER(shape) "{'descr': '<f4', 'fortran_order': False, 'shape': " shape ", }   \n"

static const struct {
    const char *name;
    unsigned major;
    const char *header;
    size_t floats;
    const char *message; /* NULL: it is a good file of shape (1, 2, 3, 4) */
} files[] = {
    {"version 1", 1, HEADER("(1, 2, 3, 4)"), 24, NULL},
    {"version 2", 2, HEADER("(1, 2, 3, 4)"), 24, NULL},
    {"no trailing comma", 1, "{'descr':'<f4','fortran_order':False,'shape':(1,2,3,4)}\n", 24, NULL},
    {"another order", 1, "{'shape': (1, 2, 3, 4), 'fortran_order': False, 'descr': '<f4'}", 24,
     NULL},
    {"Python 2 longs", 1, HEADER("(1L, 2L, 3L, 4L)"), 24, NULL},
    {"double quotes", 1, "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (1,2,3,4,)}",
     24, NULL},
    {"version 9", 9, HEADER("(1, 2, 3, 4)"), 24, "format version 9; expected 1 or 2"},
    {"rank 3", 1, HEADER("(2, 3, 4)"), 24, "shape (2, 3, 4); expected 4 dimensions (B, H, N, D)"},
    {"rank 0", 1, HEADER("()"), 1, "shape (); expected 4 dimensions"},
    {"rank 1", 1, HEADER("(24,)"), 24, "shape (24,); expected 4 dimensions"},
    {"big-endian f8", 1, "{'descr': '>f8', 'fortran_order': False, 'shape': (1, 1, 1, 12), }", 24,
     "big-endian '>f8'; expected little-endian '<f4'"},
    {"c8", 1, "{'descr': '<c8', 'fortran_order': False, 'shape': (1, 1, 1, 12), }", 24,
     "dtype '<c8'; expected little-endian '<f4'"},
    {"f2, one element short", 1,
     "{'descr': '<f2', 'fortran_order': False, 'shape': (1, 1, 1, 3), }", 1, "truncated"},
    {"big-endian f2", 1, "{'descr': '>f2', 'fortran_order': False, 'shape': (1, 1, 1, 2), }", 1,
     "big-endian"},
    {"big-endian", 1, "{'descr': '>f4', 'fortran_order': False, 'shape': (1, 2, 3, 4), }", 24,
     "big-endian"},
    {"structured", 1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (24,), }", 24,
     "no plain type"},
    {"Fortran order", 1, "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2, 3, 4), }", 24,
     "Fortran order; expected C order"},
    {"truncated", 1, HEADER("(1, 2, 3, 4)"), 23, "truncated"},
    {"no data", 1, HEADER("(1, 2, 3, 4)"), 0, "truncated"},
    {"trailing", 1, HEADER("(1, 2, 3, 4)"), 25, "too long"},
    {"claims too much", 1, HEADER("(4294967295, 4294967295, 4294967295, 4)"), 24, "truncated"},
    {"claims zero of much", 1, HEADER("(0, 18446744073709551615, 9, 9)"), 24, "too long"},
    {"product wraps to 24", 1, HEADER("(9223372036854775808, 2, 1, 24)"), 24, "truncated"},
    {"past 64 bits", 1, HEADER("(99999999999999999999, 1, 1, 1)"), 24, "'shape' is not"},
    {"negative", 1, HEADER("(-1, 2, 3, 4)"), 24, "'shape' is not"},
    {"a list", 1, HEADER("[1, 2, 3, 4]"), 24, "'shape' is not"},
    {"a call", 1, HEADER("(__import__('os'), 2)"), 24, "'shape' is not"},
    {"an int", 1, HEADER("(24)"), 24, "'shape' is not"},
    {"33 dimensions", 1,
     HEADER("(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)"), 1,
     "more than 32 dimensions"},
    {"a key twice", 1, "{'descr': '<f4', 'descr': '<f4', 'shape': (1,), }", 1, "a key twice"},
    {"another key", 1, "{'descr': '<f4', 'colour': 'red', }", 1, "a key other than"},
    {"a key missing", 1, "{'descr': '<f4', 'shape': (1,2,3,4)}", 24, "lacks"},
    {"empty dictionary", 1, "{}", 0, "lacks"},
    {"no header", 1, "", 0, "not a dictionary"},
    {"unclosed", 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3, 4", 24,
     "'shape' is not"},
    {"text after", 1, HEADER("(1, 2, 3, 4)") "x", 24, "text after"},
};
enum { FILE_COUNT = sizeof files / sizeof files[0] };

static void check_one_line(const char *message)
{
    ck_assert_msg(strstr(message, path) == message, "does not name the file: %s", message);
    ck_assert_msg(!strchr(message, '\n'), "more than one line: %s", message);
}

START_TEST(table_of_files)
{
    unsigned char bytes[1024];
    write_bytes(bytes, make_file(bytes, files[_i].major, files[_i].header, files[_i].floats));
    sqa_npy tensor = {0};
    sqa_status status = sqa_npy_read(&tensor, path, &four);
    if (files[_i].message) {
        ck_assert_int_eq(status, SQA_INVALID_ARGUMENT);
        ck_assert_ptr_null(tensor.data);
        check_one_line(sqa_last_error());
        ck_assert_msg(strstr(sqa_last_error(), files[_i].message), "%s: %s", files[_i].name,
                      sqa_last_error());
        return;
    }
    ck_assert_msg(status == SQA_OK, "%s: %s", files[_i].name, sqa_last_error());
    ck_assert_uint_eq(tensor.count, 24);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(tensor.shape[i], i + 1);
    for (unsigned i = 0; i < 24; i++)
        ck_assert_float_eq(tensor.data[i], (float)i);
    sqa_npy_free(&tensor);
}
END_TEST

/* Every prefix of a good file, and a header length that lies both ways. */
START_TEST(truncated_anywhere)
{
    unsigned char bytes[1024];
    size_t size = make_file(bytes, 1, HEADER("(1, 2, 3, 4)"), 24);
    sqa_npy tensor = {0};
    for (size_t length = 0; length < size; length++) {
        write_bytes(bytes, length);
        ck_assert_int_eq(sqa_npy_read(&tensor, path, &four), SQA_INVALID_ARGUMENT);
        check_one_line(sqa_last_error());
    }
    for (int lie = 0; lie < 65536; lie += 509) {
        bytes[8] = (unsigned char)lie;
        bytes[9] = (unsigned char)(lie >> 8);
        write_bytes(bytes, size);
        ck_assert_int_eq(sqa_npy_read(&tensor, path, &four), SQA_INVALID_ARGUMENT);
    }
}
END_TEST

/* Random changes to a good file: an error that names it, or a tensor whose size
 * is what the file holds. */
START_TEST(mutations)
{
    srand(11);
    unsigned read = 0;
    for (int round = 0; round < 2000; round++) {
        unsigned char bytes[1024];
        unsigned version = rand() % 2 ? 1 : 2;
        size_t size = make_file(bytes, version, HEADER("(1, 2, 3, 4)"), 24);
        static const char tempting[] = "0123456789(),'{}: <f4TFL\n";
        for (int change = rand() % 3; change >= 0; change--)
            bytes[(size_t)rand() % (size - 96)] =
                (unsigned char)(rand() % 2 ? tempting[(size_t)rand() % (sizeof tempting - 1)]
                                           : rand() % 256);
        write_bytes(bytes, size - (rand() % 4 ? 0 : (size_t)rand() % size));
        sqa_npy tensor = {0};
        if (sqa_npy_read(&tensor, path, &four) == SQA_OK) {
            uint64_t product = 1;
            for (unsigned i = 0; i < 4; i++)
                product *= tensor.shape[i];
            ck_assert_uint_eq(product, tensor.count);
            ck_assert_uint_le(tensor.count, 256);
            sqa_npy_free(&tensor);
            read++;
        } else {
            check_one_line(sqa_last_error());
        }
    }
    ck_assert_uint_gt(read, 10);
}
END_TEST

/* Where no two dimensions are longer than 1, both orders are one. */
START_TEST(one_order)
{
    static const struct {
        const char *shape;
        uint32_t rank;
        size_t count;
    } same[] = {{"(24,)", 1, 24},
                {"(1, 24)", 2, 24},
                {"(1, 24, 1, 1)", 4, 24},
                {"(0, 1)", 2, 0},
                {"()", 0, 1}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        unsigned char bytes[1024];
        char header[128];
        const sqa_npy_wish wish = {SQA_NPY_FLOATS, same[i].rank, same[i].rank, ""};
        sqa_npy tensor = {0};
        snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': True, 'shape': %s, }",
                 same[i].shape);
        write_bytes(bytes, make_file(bytes, 1, header, same[i].count));
        ck_assert_msg(sqa_npy_read(&tensor, path, &wish) == SQA_OK, "%s: %s", same[i].shape,
                      sqa_last_error());
        ck_assert_uint_eq(tensor.count, same[i].count);
        for (size_t j = 0; j < tensor.count; j++)
            ck_assert_float_eq(tensor.data[j], (float)j);
        sqa_npy_free(&tensor);
    }
}
END_TEST

/* A file of f8 numbers. */
static void write_doubles(const double *values, size_t count)
{
    unsigned char bytes[1024];
    char header[128];
    snprintf(header, sizeof header, "{'descr': '<f8', 'fortran_order': False, 'shape': (%zu,), }",
             count);
    const size_t size = make_file(bytes, 1, header, 0);
    memcpy(bytes + size, values, count * sizeof *values);
    write_bytes(bytes, size + count * sizeof *values);
}

START_TEST(doubles)
{
    const double values[] = {0.1, -1e300, 1e-300, INFINITY, NAN, 16777217.0, (double)FLT_MAX};
    const sqa_npy_wish one = {SQA_NPY_FLOATS, 1, 1, "(N,)"};
    sqa_npy tensor = {0};
    write_doubles(values, 1);
    ck_assert_int_eq(sqa_npy_read(&tensor, path, &one), SQA_OK);
    ck_assert(tensor.rounded && tensor.element == SQA_ELEMENT_F32);
    ck_assert_float_eq(tensor.data[0], 0.1f);
    sqa_npy_free(&tensor);
    write_doubles(values + 2, 5);
    ck_assert_int_eq(sqa_npy_read(&tensor, path, &one), SQA_OK);
    ck_assert_float_eq(tensor.data[0], 0.0f);
    ck_assert(isinf(tensor.data[1]) && isnan(tensor.data[2]));
    ck_assert_float_eq(tensor.data[3], 16777216.0f);
    ck_assert_float_eq(tensor.data[4], FLT_MAX);
    sqa_npy_free(&tensor);
    write_doubles(values, 2); /* finite there, not here */
    ck_assert_int_eq(sqa_npy_read(&tensor, path, &one), SQA_INVALID_ARGUMENT);
    check_one_line(sqa_last_error());
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "number 1 is -1e+300; beyond float32"));
}
END_TEST

START_TEST(no_file)
{
    sqa_npy tensor = {0};
    ck_assert_int_eq(sqa_npy_read(&tensor, path, &four), SQA_INVALID_ARGUMENT);
    check_one_line(sqa_last_error());
    ck_assert_int_eq(sqa_npy_read(&tensor, folder, &four), SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "not a regular file"));
}
END_TEST

static float float_from_half(uint32_t half)
{
    uint16_t stored = (uint16_t)half;
    float value;
    sqa_storage_decode(SQA_DTYPE_F16, &stored, &value, 1);
    return value;
}

static uint16_t half_from_float(float value)
{
    uint16_t stored;
    sqa_storage_encode(SQA_DTYPE_F16, &value, &stored, 1);
    return stored;
}

/* Every half there is survives a file. */
START_TEST(halves)
{
    sqa_npy tensor = {.rank = 2, .shape = {256, 256}, .count = 65536, .element = SQA_ELEMENT_F16};
    sqa_npy back = {0};
    const sqa_npy_wish two = {SQA_NPY_FLOATS, 2, 2, "(a, b)"};
    tensor.data = malloc(tensor.count * sizeof(float));
    ck_assert_ptr_nonnull(tensor.data);
    for (uint32_t i = 0; i < 65536; i++)
        tensor.data[i] = float_from_half(i);
    write_tensor(&tensor);
    ck_assert_int_eq(sqa_npy_read(&back, path, &two), SQA_OK);
    ck_assert_int_eq(back.element, SQA_ELEMENT_F16);
    unsigned changed = 0;
    for (uint32_t i = 0; i < 65536; i++)
        changed += (unsigned)(isnan(tensor.data[i])
                                  ? !isnan(back.data[i])
                                  : memcmp(&back.data[i], &tensor.data[i], sizeof(float)) != 0);
    ck_assert_uint_eq(changed, 0);
    sqa_npy_free(&tensor);
    sqa_npy_free(&back);
}
END_TEST

/* A float becomes the nearest half: no neighbour is nearer, and ties are even. */
START_TEST(nearest_half)
{
    srand(5);
    unsigned farther = 0;
    for (int i = 0; i < 200000; i++) {
        float value = ldexpf((float)rand() / (float)RAND_MAX - 0.5f, rand() % 42 - 26);
        uint16_t half = half_from_float(value);
        float off = fabsf(float_from_half(half) - value);
        farther += off > fabsf(float_from_half(half + 1u) - value);
        if (half & 0x7fff)
            farther += off > fabsf(float_from_half(half - 1u) - value);
    }
    ck_assert_uint_eq(farther, 0);
    ck_assert_uint_eq(half_from_float(65519.0f), 0x7bff);
    ck_assert_uint_eq(half_from_float(65520.0f), 0x7c00);
    ck_assert_uint_eq(half_from_float(1.0f + 0x1p-11f), 0x3c00);
    ck_assert_uint_eq(half_from_float(1.0f + 0x3p-11f), 0x3c02);
    ck_assert_uint_eq(half_from_float(-0x1p-25f), 0x8000);
    ck_assert_uint_eq(half_from_float(0x1.8p-25f), 0x0001);
    ck_assert_uint_eq(half_from_float(-INFINITY), 0xfc00);
    ck_assert_uint_eq(half_from_float(NAN) & 0x7fff, 0x7e00);
}
END_TEST

static const sqa_npy shapes[] = {
    {.rank = 4, .shape = {1, 2, 3, 4}, .count = 24}, {.rank = 3, .shape = {2, 5, 7}, .count = 70},
    {.rank = 1, .shape = {9}, .count = 9},           {.rank = 4, .shape = {2, 0, 3, 4}, .count = 0},
    {.rank = 2, .shape = {33, 257}, .count = 8481},
};
enum { SHAPE_COUNT = sizeof shapes / sizeof shapes[0] };

START_TEST(round_trip)
{
    sqa_npy tensor = shapes[_i], back = {0};
    const sqa_npy_wish same = {SQA_NPY_FLOATS, tensor.rank, tensor.rank, "(...)"};
    tensor.data = malloc(tensor.count * sizeof(float) + 1);
    ck_assert_ptr_nonnull(tensor.data);
    for (size_t i = 0; i < tensor.count; i++)
        tensor.data[i] = (float)i * 0.37f - 5.0f;
    write_tensor(&tensor);
    ck_assert_int_eq(sqa_npy_read(&back, path, &same), SQA_OK);
    ck_assert_uint_eq(back.count, tensor.count);
    ck_assert_mem_eq(back.shape, tensor.shape, sizeof back.shape);
    if (tensor.count)
        ck_assert_mem_eq(back.data, tensor.data, tensor.count * sizeof(float));
    struct stat info;
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq((int)((uint64_t)info.st_size - 4 * tensor.count) % 64, 0);
    sqa_npy_free(&tensor);
    sqa_npy_free(&back);
}
END_TEST

/* Files of the other types: what is read of them, or why they are refused. */
#define OF(descr, shape) "{'descr': '" descr "', 'fortran_order': False, 'shape': " shape ", }\n"

static const struct {
    const char *header, *data;
    size_t size;
    sqa_npy_wish wish;
    const char *message; /* NULL: good, and the numbers are */
    int32_t numbers[4];
} other_files[] = {
    {OF("|b1", "(2, 2)"), "\1\0\1\0", 4, {SQA_NPY_BYTES, 2, 4, "(Nq, Nk)"}, NULL, {1, 0, 1, 0}},
    {OF("|u1", "(1, 4)"), "\377\0\2\1", 4, {SQA_NPY_BYTES, 2, 2, "(B, Nk)"}, NULL, {255, 0, 2, 1}},
    {OF("<i4", "(2,)"),
     "\1\0\0\0\376\377\377\377",
     8,
     {SQA_NPY_INTEGERS, 1, 1, "(N,)"},
     NULL,
     {1, -2}},
    {OF("<i8", "(2,)"),
     "\1\1\0\0\0\0\0\0\375\377\377\377\377\377\377\377",
     16,
     {SQA_NPY_INTEGERS, 1, 1, "(N,)"},
     NULL,
     {257, -3}},
    {OF("<i8", "(1,)"),
     "\0\0\0\200\0\0\0\0",
     8,
     {SQA_NPY_INTEGERS, 1, 1, "(N,)"},
     "number 0 is 2147483648; outside -2147483648..2147483647",
     {0}},
    {OF("<i8", "(2,)"), "\1\0\0\0\0\0\0\0", 8, {SQA_NPY_INTEGERS, 1, 1, "(N,)"}, "truncated", {0}},
    {OF("<i8", "(0,)"), "", 0, {SQA_NPY_INTEGERS, 1, 1, "(N,)"}, NULL, {0}},
    {OF("<f4", "(1,)"),
     "\0\0\0\0",
     4,
     {SQA_NPY_INTEGERS, 1, 1, "(N,)"},
     "dtype '<f4'; expected little-endian '<i4' (int32) or '<i8' (int64)",
     {0}},
    {OF(">i4", "(1,)"), "\0\0\0\0", 4, {SQA_NPY_INTEGERS, 1, 1, "(N,)"}, "big-endian '>i4'", {0}},
    {OF("<i4", "(1,1)"),
     "\0\0\0\0",
     4,
     {SQA_NPY_BYTES, 2, 4, "(Nq, Nk)"},
     "dtype '<i4'; expected '|b1' (bool) or '|u1' (uint8)",
     {0}},
    {OF("|b1", "(4,)"),
     "\0\0\0\0",
     4,
     {SQA_NPY_FLOATS, 2, 4, "(Nq, Nk)"},
     "expected little-endian '<f4'",
     {0}},
    {OF("|b1", "(4,)"),
     "\0\0\0\0",
     4,
     {SQA_NPY_BYTES, 2, 4, "(Nq, Nk)"},
     "shape (4,); expected 2 to 4 dimensions (Nq, Nk)",
     {0}},
    {OF("<i4", "(1,1)"),
     "\0\0\0\0",
     4,
     {SQA_NPY_INTEGERS, 1, 1, "(N,)"},
     "shape (1, 1); expected 1 dimension (N,)",
     {0}},
};
enum { OTHER_COUNT = sizeof other_files / sizeof other_files[0] };

START_TEST(masks_and_integers)
{
    unsigned char bytes[256];
    sqa_npy tensor = {0};
    size_t size = make_file(bytes, 1, other_files[_i].header, 0);
    memcpy(bytes + size, other_files[_i].data, other_files[_i].size);
    write_bytes(bytes, size + other_files[_i].size);
    sqa_status status = sqa_npy_read(&tensor, path, &other_files[_i].wish);
    if (other_files[_i].message) {
        ck_assert_int_eq(status, SQA_INVALID_ARGUMENT);
        check_one_line(sqa_last_error());
        ck_assert_msg(strstr(sqa_last_error(), other_files[_i].message), "%s", sqa_last_error());
        return;
    }
    ck_assert_msg(status == SQA_OK, "%s", sqa_last_error());
    bool integers = other_files[_i].wish.kind == SQA_NPY_INTEGERS;
    ck_assert_int_eq(tensor.element, integers ? SQA_ELEMENT_INT : SQA_ELEMENT_BYTE);
    for (size_t i = 0; i < tensor.count; i++)
        ck_assert_int_eq(integers ? tensor.integers[i] : tensor.bytes[i],
                         other_files[_i].numbers[i]);
    sqa_npy_free(&tensor);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("npy");
    TCase *tests = tcase_create("files");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, table_of_files, 0, FILE_COUNT);
    tcase_add_loop_test(tests, round_trip, 0, SHAPE_COUNT);
    tcase_add_loop_test(tests, masks_and_integers, 0, OTHER_COUNT);
    tcase_add_test(tests, truncated_anywhere);
    tcase_add_test(tests, mutations);
    tcase_add_test(tests, halves);
    tcase_add_test(tests, nearest_half);
    tcase_add_test(tests, one_order);
    tcase_add_test(tests, doubles);
    tcase_add_test(tests, no_file);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
