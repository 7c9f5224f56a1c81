/* Device profiles from outside: what is generated and captured for a device that is not
 * here is what it would be there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/program.h"
#include "cli/shipped_profiles.h"
#include "device/profile.h"
#include "run_suite.h"

/* Nobody's. */
#define GPU                                                                                        \
    "vendor=some\narchitecture=arch\nmodel=gpu\nruntime=vendor\ntype=gpu\ndevice_name=Some GPU\n"  \
    "device_vendor=Some\ncompute_units=80\nmax_work_group_size=1024\nmax_work_item_size_0=1024\n"  \
    "max_work_item_size_1=1024\nmax_work_item_size_2=64\nlocal_memory_bytes=49152\n"               \
    "local_memory_is_global=0\nglobal_memory_bytes=17179869184\nmax_allocation_bytes=4294967296\n"

static char profile[128];

static void write_profile(const char *text)
{
    snprintf(profile, sizeof profile, "%s/profile", work_folder);
    FILE *file = fopen(profile, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void check_says(const char *text, const char *wanted)
{
    ck_assert_msg(strstr(text, wanted), "'%s' lacks '%s'", text, wanted);
}

START_TEST(a_profile_stands_for_its_device)
{
    static const char shape[] = "hq=8,hkv=2,n=2000,d=64,causal,window=100:0";
    write_profile(run_sqa("info --profile")->out);
    char *here = strdup(run_sqa("source --shape %s", shape)->out);
    ck_assert_ptr_nonnull(here);
    leave_platforms();
    const program_result *result = run_sqa("source --shape %s --device-profile %s", shape, profile);
    return_to_platforms();
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_str_eq(result->out, here);
    free(here);
}
END_TEST

static const program_result *gpu_source(const char *more)
{
    leave_platforms();
    const program_result *result =
        run_sqa("source --shape hq=8,n=2000,d=64 --device-profile %s%s", profile, more);
    return_to_platforms();
    return result;
}

/* The default stages tiles in local memory, and sub-groups can be had where there are some. */
START_TEST(a_gpu)
{
    write_profile(GPU);
    const program_result *result = gpu_source("");
    ck_assert_msg(result->code == 0, "%s", result->err);
    check_says(result->out, "\n * device    Some GPU\n");
    check_says(result->out, "\n * family    tiled");
    check_says(result->out, "\n#define STAGE 1 ");
    check_says(result->out, "\n#define SUBGROUP 0 ");
    check_says(gpu_source(" --family rows")->err, "needs a CPU device");
    check_says(gpu_source(" --family tiled --set SUBGROUP=1")->err, "SUBGROUP needs sub-groups");
    write_profile(GPU "subgroups=choice 8,16,32\n");
    result = gpu_source(" --family tiled --set SUBGROUP=1");
    check_says(result->out, "\n#define SUBGROUP 1 ");
    check_says(result->out, "intel_reqd_sub_group_size(8)");
}
END_TEST

/* What ships is a device that would be known as what the profile says it is. */
START_TEST(a_shipped_profile)
{
    size_t length = 0;
    const char *name = sqa_shipped_profile_name((size_t)_i, &length);
    sqa_device device;
    sqa_device_identity identity;
    ck_assert_ptr_nonnull(name);
    ck_assert_msg(sqa_profile_read(sqa_embedded_profiles[_i].text, &device) == SQA_OK, "%s: %s",
                  name, sqa_last_error());
    memset(&identity, 0, sizeof identity);
    sqa_device_identify(&device.strings, &identity);
    ck_assert_str_eq(identity.vendor, device.identity.vendor);
    ck_assert_str_eq(identity.architecture, device.identity.architecture);
    ck_assert_str_eq(identity.model, device.identity.model);
    ck_assert_str_eq(identity.runtime, device.identity.runtime);
}
END_TEST

/* What a configuration needs of a compiler there is in its options: more registers for what
 * does not fit, and a standard that has shuffles. A sub-group is the smallest that does. */
static const struct {
    const char *profile, *shape, *set, *needed[2], *unneeded;
} needs[] = {
    {"dg2", "d=64", "", {"256-GRF-per-thread", "intel_reqd_sub_group_size(8)"}, "CL3.0"},
    {"pvc", "d=128", "", {"256-GRF-per-thread", "intel_reqd_sub_group_size(16)"}, "CL3.0"},
    {"dg2",
     "d=64",
     " --set SUBGROUP=1,BM=16,BN=16,TX=16,TY=16",
     {"-cl-std=CL3.0 -cl-mad-enable", "intel_reqd_sub_group_size(16)"},
     "CL1.2"},
    {"tgl", "d=64", "", {"-cl-std=CL1.2", "intel_reqd_sub_group_size(8)"}, "256-GRF"},
    {"sm_90", "d=64", "", {"-cl-std=CL1.2", "BM 64"}, "GRF"},
    {"gfx90a", "d=128", "", {"local 16 x 16 x 1", "-cl-std=CL1.2"}, "intel_reqd"},
    {"mali-g610", "d=64", "", {"#define STAGE 0", "-cl-std=CL1.2"}, "intel_reqd"},
};

START_TEST(compilers_are_told_what_it_takes)
{
    leave_platforms();
    const program_result *result =
        run_sqa("source --shape hq=8,n=4096,causal,%s --family tiled --device-profile %s%s",
                needs[_i].shape, needs[_i].profile, needs[_i].set);
    return_to_platforms();
    ck_assert_msg(result->code == 0, "%s", result->err);
    check_says(result->out, needs[_i].needed[0]);
    check_says(result->out, needs[_i].needed[1]);
    ck_assert_msg(!strstr(result->out, needs[_i].unneeded), "%s: has '%s'", needs[_i].profile,
                  needs[_i].unneeded);
}
END_TEST

START_TEST(a_profile_that_ships_has_a_name)
{
    leave_platforms();
    check_says(run_sqa("source --shape hq=8,n=2000,d=64 --device-profile sm_90")->out,
               "\n * device    NVIDIA H100 80GB HBM3\n");
    check_says(
        run_sqa("capture --out %s --device-profile dg2 --shape hq=2,n=40,d=16 --family naive",
                work_folder)
            ->out,
        "programs");
    const program_result *result = run_sqa("source --shape hq=8,n=8 --device-profile sm_91");
    return_to_platforms();
    ck_assert_int_eq(result->code, 2);
    check_says(result->err, "sm_91: No such file or directory; the profiles that ship are ");
    check_says(result->err, ", gfx90a, ");
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
    write_profile(GPU "compute_units=many\n");
    const program_result *result = gpu_source("");
    ck_assert_int_eq(result->code, 2);
    check_says(result->err, "--device-profile: /tmp/");
    check_says(result->err, "/profile: line 17: compute_units is given twice");
    write_profile("vendor=some\n");
    check_says(gpu_source("")->err, "/profile: architecture is missing");
    write_profile("");
    check_says(gpu_source("")->err, "/profile: empty");
}
END_TEST

/* Programs have the keys that the device itself will ask for. */
START_TEST(programs_are_captured)
{
    static const char wanted[] = "--shape hq=2,n=40,d=16 --family naive --set CHUNK=4|64";
    run_sqa("capture --out %s %s", work_folder, wanted);
    write_profile(run_sqa("info --profile")->out);
    const program_result *result =
        run_sqa("capture --out %s %s --device-profile %s", work_folder, wanted, profile);
    check_says(result->out, "2 programs, 0 of them new");
    write_profile(GPU);
    leave_platforms();
    result = run_sqa("capture --out %s %s --device-profile %s", work_folder, wanted, profile);
    check_says(result->out, "4 programs, 2 of them new");
    result =
        run_sqa("capture --out %s %s --device-profile %s --build", work_folder, wanted, profile);
    return_to_platforms();
    ck_assert_int_eq(result->code, 2);
    check_says(result->err, "--build and --device-profile exclude each other");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device profiles");
    TCase *tests = tcase_create("commands");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, work_folder_set_up, work_folder_tear_down);
    tcase_add_test(tests, a_profile_stands_for_its_device);
    tcase_add_test(tests, a_gpu);
    size_t shipped = 0, length = 0;
    while (sqa_shipped_profile_name(shipped, &length))
        shipped++;
    tcase_add_loop_test(tests, a_shipped_profile, 0, (int)shipped);
    tcase_add_loop_test(tests, compilers_are_told_what_it_takes, 0,
                        (int)(sizeof needs / sizeof *needs));
    tcase_add_test(tests, a_profile_that_ships_has_a_name);
    tcase_add_test(tests, what_is_wrong_is_named);
    tcase_add_test(tests, programs_are_captured);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
