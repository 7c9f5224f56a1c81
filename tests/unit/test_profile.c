/* Device profiles: what is written is read, what is left out has its default, and what is
 * wrong is named. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/architectures.h"
#include "device/profile.h"
#include "device/subgroups.h"
#include "run_suite.h"

static const sqa_device gpu = {
    .strings = {.platform_name = "Some Platform",
                .platform_version = "OpenCL 3.0",
                .device_name = " a = b # c ",
                .device_vendor = "Vendor, Inc. ",
                .device_version = "OpenCL 3.0 CUDA",
                .driver_version = "535.1",
                .board_name = "\xc3\xa9",
                .nv_major = 9,
                .nv_minor = 1,
                .compute_units = 132,
                .type = SQA_DEVICE_GPU},
    .identity = {.vendor = "nvidia", .architecture = "sm_90", .model = "h100", .runtime = "nvidia"},
    .limits = {.max_work_group_size = 1024,
               .max_work_item_sizes = {1024, 1024, SIZE_MAX},
               .local_memory_bytes = 49152,
               .global_memory_bytes = UINT64_MAX,
               .max_allocation_bytes = UINT64_C(1) << 40,
               .vector_width_float = 1,
               .wavefront_width = 32,
               .unit_registers = 65536,
               .unit_local_memory_bytes = 233472,
               .subgroup_sizes = {8, 16, 32},
               .subgroup_size_on_request = true,
               .has_fp64 = true,
               .has_compiler = true}};

/* Only what has no default. */
#define LEAST                                                                                      \
    "vendor=v\narchitecture=a\nmodel=m\nruntime=r\ntype=gpu\ndevice_name=n\ndevice_vendor=w\n"     \
    "compute_units=4\nmax_work_group_size=256\nmax_work_item_size_0=256\n"                         \
    "max_work_item_size_1=128\nmax_work_item_size_2=64\nlocal_memory_bytes=65536\n"                \
    "local_memory_is_global=0\nglobal_memory_bytes=1000\nmax_allocation_bytes=100\n"

/* What a profile says of the hardware, and what is derived from its strings, do not differ: a
 * family judges by the one here and by the other where the device is. */
static void check_shipped(const char *name)
{
    char path[512], text[1 << 14];
    sqa_device device;
    sqa_device_identity identity;
    snprintf(path, sizeof path, "%s/%s", SQA_TEST_PROFILES, name);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    ck_assert_msg(sqa_profile_read(text, &device) == SQA_OK, "%s: %s", name, sqa_last_error());
    sqa_device_identify(&device.strings, &identity);
    ck_assert_str_eq(identity.vendor, device.identity.vendor);
    ck_assert_str_eq(identity.architecture, device.identity.architecture);
    ck_assert_str_eq(identity.model, device.identity.model);
    ck_assert_str_eq(identity.runtime, device.identity.runtime);

    const sqa_architecture *figures = sqa_architecture_find(&device);
    const sqa_device_limits *limits = &device.limits;
    ck_assert_msg(!limits->wavefront_width || limits->wavefront_width == figures->wavefront_width,
                  "%s: wavefronts of %u", name, figures->wavefront_width);
    ck_assert_msg(!figures->unit_local_memory_bytes ||
                      (limits->local_memory_bytes <= figures->unit_local_memory_bytes &&
                       limits->unit_local_memory_bytes <= figures->unit_local_memory_bytes),
                  "%s: more local memory than a unit has", name);
    ck_assert_msg(figures->least_items <= limits->max_work_group_size, "%s: work-group", name);
}

START_TEST(what_ships_is_what_is_derived)
{
    DIR *folder = opendir(SQA_TEST_PROFILES);
    int count = 0;
    ck_assert_ptr_nonnull(folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (strstr(entry->d_name, ".profile")) {
            check_shipped(entry->d_name);
            count++;
        }
    closedir(folder);
    ck_assert_int_ge(count, 11);
}
END_TEST

START_TEST(what_is_written_is_read)
{
    sqa_text text = SQA_TEXT_INIT, again = SQA_TEXT_INIT;
    sqa_device read;
    memset(&read, 0x5a, sizeof read);
    ck_assert_int_eq(sqa_profile_write(&text, &gpu), SQA_OK);
    ck_assert_msg(sqa_profile_read(sqa_text_get(&text), &read) == SQA_OK, "%s", sqa_last_error());
    ck_assert_ptr_null(read.id);
    ck_assert_mem_eq(&read.strings, &gpu.strings, sizeof gpu.strings);
    ck_assert_mem_eq(&read.identity, &gpu.identity, sizeof gpu.identity);
    ck_assert_int_eq(sqa_profile_write(&again, &read), SQA_OK);
    ck_assert_str_eq(sqa_text_get(&text), sqa_text_get(&again));
    ck_assert_ptr_nonnull(strstr(sqa_text_get(&text), "\ndevice_name= a = b # c \n"));
    ck_assert_ptr_nonnull(strstr(sqa_text_get(&text), "\nsubgroups=choice 8,16,32\n"));
    ck_assert_ptr_nonnull(strstr(sqa_text_get(&text), "\nunit_registers=65536\n"));
    sqa_text_free(&text);
    sqa_text_free(&again);
}
END_TEST

START_TEST(what_is_left_out)
{
    sqa_device read;
    memset(&read, 0x5a, sizeof read);
    ck_assert_msg(sqa_profile_read("# a comment\n\n" LEAST, &read) == SQA_OK, "%s",
                  sqa_last_error());
    ck_assert_str_eq(read.strings.driver_version, "");
    ck_assert_str_eq(read.strings.board_name, "");
    ck_assert_uint_eq(read.limits.vector_width_float, 1);
    ck_assert_uint_eq(read.limits.wavefront_width, 0);
    ck_assert_uint_eq(read.limits.subgroup_sizes[0], 0);
    ck_assert_uint_eq(read.limits.max_work_item_sizes[1], 128);
    ck_assert(read.limits.has_compiler && !read.limits.has_fp64);
    ck_assert_int_eq(read.strings.type, SQA_DEVICE_GPU);
}
END_TEST

static const struct {
    const char *text, *why;
} wrong[] = {
    {LEAST "nonsense\n", "line 17: 'nonsense' is not key=value"},
    {LEAST "nonsense=1\n", "line 17: 'nonsense' is no key"},
    {LEAST " type=gpu\n", "line 17: ' type' is no key"},
    {"\n#\ntype=gpu\ntype=gpu\n", "line 4: type is given twice"},
    {"type=GPU\n", "line 1: type is 'GPU'; expected cpu, gpu, accelerator or other"},
    {"type=gpu\r\n", "line 1: type is 'gpu\r'"},
    {"vendor=\n", "line 1: vendor has 0 characters; expected 1 to 31"},
    {"vendor=01234567890123456789012345678901\n", "vendor has 32 characters"},
    {"device_name=a\tb\n", "device_name has control characters"},
    {"compute_units=0\n", "compute_units is '0'; expected a number from 1 to 4294967295"},
    {"compute_units=4294967296\n", "compute_units is '4294967296'"},
    {"compute_units=-1\n", "compute_units is '-1'"},
    {"compute_units= 1\n", "compute_units is ' 1'"},
    {"compute_units=1x\n", "compute_units is '1x'"},
    {"compute_units=\n", "compute_units is ''"},
    {"global_memory_bytes=99999999999999999999\n", "from 0 to 18446744073709551615"},
    {"has_fp64=2\n", "has_fp64 is '2'; expected a number from 0 to 1"},
    {"subgroups=32\n", "subgroups is '32'; expected nothing, 'fixed SIZE'"},
    {"", "vendor is missing"},
    {"vendor=v\narchitecture=a\nmodel=m\nruntime=r\n", "type is missing"},
};
enum { WRONG_COUNT = sizeof wrong / sizeof *wrong };

START_TEST(what_is_wrong_is_named)
{
    sqa_device read, before;
    memset(&read, 0x5a, sizeof read);
    before = read;
    ck_assert_int_eq(sqa_profile_read(wrong[_i].text, &read), SQA_INVALID_ARGUMENT);
    ck_assert_msg(strstr(sqa_last_error(), wrong[_i].why), "'%s' lacks '%s'", sqa_last_error(),
                  wrong[_i].why);
    ck_assert_mem_eq(&read, &before, sizeof read);
}
END_TEST

START_TEST(a_device_that_cannot_be_written)
{
    sqa_device device = gpu;
    sqa_text text = SQA_TEXT_INIT;
    device.strings.driver_version[0] = '\n';
    ck_assert_int_eq(sqa_profile_write(&text, &device), SQA_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "driver_version"));
    sqa_text_free(&text);
}
END_TEST

START_TEST(subgroups_are_one_text)
{
    static const char *const good[] = {"", "fixed 32", "choice 8,16,32", "choice 8"};
    static const char *const bad[] = {"32",           "fixed",         "fixed ",
                                      "fixed 0",      "fixed 032",     "fixed 8,",
                                      "choice 8,,16", "choice -8",     "fixed 8 ",
                                      "choice a,b",   "fixed 9999999", "choice 1,2,3,4,5,6,7,8,9"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        sqa_device_limits limits;
        char text[SQA_SUBGROUP_TEXT];
        memset(&limits, 0xff, sizeof limits);
        ck_assert(sqa_subgroups_parse(good[i], &limits));
        ck_assert_int_eq(limits.subgroup_size_on_request, good[i][0] == 'c');
        sqa_subgroups_format(&limits, text);
        ck_assert_str_eq(text, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sqa_device_limits limits;
        ck_assert_msg(!sqa_subgroups_parse(bad[i], &limits), "%s", bad[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device profiles");
    TCase *tests = tcase_create("profiles");
    tcase_add_test(tests, what_is_written_is_read);
    tcase_add_test(tests, what_ships_is_what_is_derived);
    tcase_add_test(tests, what_is_left_out);
    tcase_add_loop_test(tests, what_is_wrong_is_named, 0, WRONG_COUNT);
    tcase_add_test(tests, a_device_that_cannot_be_written);
    tcase_add_test(tests, subgroups_are_one_text);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
