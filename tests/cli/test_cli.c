/* The program as a whole: exit codes, help, suggestions; info and source; the
 * small parts every command uses (JSON, device numbers, room). */
#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/device_option.h"
#include "cli/memory_check.h"
#include "cli/options.h"
#include "cli/program.h"
#include "operations/shape.h"
#include "run_suite.h"
#include "sqa_cl.h"
#include "text/json.h"

static const struct {
    const char *arguments;
    int code;
    const char *out, *err; /* what it must contain; NULL: must be empty */
} calls[] = {
    {"--version", 0, "sqa " SQA_CL_VERSION_STRING "\n", NULL},
    {"--help", 0, "usage: sqa COMMAND", NULL},
    {"help", 0, "usage: sqa COMMAND", NULL},
    {"help run", 0, "usage: sqa run", NULL},
    {"run --help", 0, "--cu-seqlens-k FILE", NULL},
    {"info --help", 0, "--peak", NULL},
    {"source --help", 0, "--shape", NULL},
    {"tune --help", 0, "--budget", NULL},
    {"bench --help", 0, "--pattern KEYS", NULL},
    {"bench --variant xyzzy", 2, NULL, "xyzzy"},
    {"verify --help", 0, "--family", NULL},
    {"capture --help", 0, "--add KEY=FILE", NULL},
    {"capture", 2, NULL, "--out DIR is missing"},
    {"capture --out x --set A=1", 2, NULL, "--set needs --family"},
    {"capture --out x --shape hq=1,n=8 --family xyzzy", 2, NULL, "'xyzzy'"},
    {"capture --out x --preset xyzzy", 2, NULL, "xyzzy"},
    {"capture --out x --device 0:0 --device 0:0", 2, NULL, "--device is given twice"},
    {"report --help", 0, "--no-pictures", NULL},
    {"report --dtype f8", 2, NULL, "not one of f32"},
    {"db --help", 0, "usage: sqa db", NULL},
    {"db xyzzy", 2, NULL, "'xyzzy' is not a subcommand"},
    {"tune --budget never", 2, NULL, "--budget is 'never'; expected a time such as 60s, 5m or 1h"},
    {"tune --budget 0.5t", 2, NULL, "or trials such as 40t, more than 0 and at most 1000000"},
    {"tune --timeout 0", 2, NULL, "--timeout is '0'; expected a number from 1 to 86400"},
    {"tune --patience 1x", 2, NULL, "--patience is '1x'; expected a number from 1 to 1000000"},
    {"tune --memory 15", 2, NULL, "--memory is '15'; expected a number from 16 to 1048576"},
    {"tune --runs -1", 2, NULL, "--runs is '-1'; expected a number from 1 to 1000000"},
    {"tune --seed 9223372036854775808", 2, NULL, "a number from 0 to 9223372036854775807"},
    {"verify --seed 18446744073709551616", 2, NULL, "a number from 0 to 18446744073709551615"},
    {"verify --configs 33", 2, NULL, "--configs is '33'; expected a number from 0 to 32"},
    {"report --heads 65536", 2, NULL, "--heads is '65536'; expected a number from 1 to 65535"},
    {"db list --dim 1025", 2, NULL,
     "sqa db list: --dim is '1025'; expected a number from 1 to 1024"},
    {"db query --seq many", 2, NULL, "--seq is 'many'; expected a number from 1 to 1073741824"},
    {"db prune --keep 0", 2, NULL, "--keep is '0'; expected a number from 1 to 1073741824"},
    {"db show 0", 2, NULL, "'0' is not a trial's number"},
    {"trial-worker --timeout 86401", 2, NULL, "a number from 1 to 86400"},
    {"verify --family xyzzy", 2, NULL, "xyzzy"},
    {"", 2, NULL, "usage: sqa COMMAND"},
    {"rnu", 2, NULL, "did you mean run"},
    {"sorce", 2, NULL, "did you mean source"},
    {"xyzzyxyzzy", 2, NULL, "the commands are info"},
    {"help xyzzyxyzzy", 2, NULL, "is not a command"},
    {"info --nonsense", 2, NULL, "`sqa help info`"},
    {"info --device 9:9", 1, NULL, "no device 9:9"},
    {"info --device nonsense", 2, NULL, "PLATFORM:DEVICE"},
    {"info --profile", 0, "\nmax_work_group_size=", NULL},
    {"info --profile --json", 2, NULL, "--json does not go with --profile"},
    {"info --profile --peak", 2, NULL, "--peak does not go with --profile"},
    {"info --profile --db x", 2, NULL, "--db does not go with --profile"},
    {"info --profile --device 9:9", 1, NULL, "platform: 9 is outside"},
    {"source --shape hq=1,n=8 --device-profile /none", 2, NULL, "--device-profile: /none: No such"},
    {"source --shape hq=1,n=8 --device 0:0 --device-profile x", 2, NULL,
     "--device-profile and --device exclude each other"},
    {"capture --out x --build --device-profile /none", 2, NULL,
     "--build and --device-profile exclude each other"},
    {"capture --out x --device-profile /none", 2, NULL, "/none: No such"},
    {"capture --out x --device-profile x --device 0:0", 2, NULL, "exclude each other"},
    {"capture --out x --add K=F --build", 2, NULL, "--build does not go with --add"},
    {"capture --out x --add K=F --shape hq=1,n=8", 2, NULL, "--shape does not go with --add"},
    {"capture --out x --add K=F --device 0:0", 2, NULL, "--device does not go with --add"},
    {"tune --set RV=1", 2, NULL, "--set needs --family"},
    {"tune --csv", 2, NULL, "--csv needs --replay"},
    {"tune --runs 3", 2, NULL, "--runs needs --replay"},
    {"tune --budget-trials 5", 2, NULL, "--budget-trials needs --replay"},
    {"tune --record F", 2, NULL, "--record needs --family"},
    {"tune --record F --family rows --dry-run", 2, NULL, "--dry-run does not go with --record"},
    {"tune --record F --family rows --strategy random", 2, NULL, "--strategy does not go with"},
    {"tune --record F --family rows --db x", 2, NULL, "--db does not go with --record"},
    {"tune --record-borrowed F --seed 2", 2, NULL, "--seed does not go with --record-borrowed"},
    {"tune --from-worst", 2, NULL, "--from-worst needs --replay"},
    {"tune --record F --family rows --runs 5", 2, NULL, "--runs does not go with --record"},
    {"tune --record F --family rows --replay x", 2, NULL, "--replay does not go with --record"},
    {"tune --replay F --shape hq=1,n=8", 2, NULL, "--shape does not go with --replay"},
    {"tune --replay F --budget 5s", 2, NULL, "--budget does not go with --replay"},
    {"tune --replay F --dry-run", 2, NULL, "--dry-run does not go with --replay"},
    {"tune --replay F --csv --json", 2, NULL, "--csv and --json exclude each other"},
    {"tune --json --wide", 2, NULL, "--wide and --json exclude each other"},
    {"verify --set RV=1", 2, NULL, "--set needs --family"},
    {"verify --layout bshd", 2, NULL, "--layout needs --shape"},
    {"verify --tiny --full", 2, NULL, "--full and --tiny exclude each other"},
    {"verify --shape hq=1,n=8 --full", 2, NULL, "--full and --shape exclude each other"},
    {"verify --shape hq=1,n=8 --patterns", 2, NULL, "--patterns and --shape exclude each other"},
    {"verify --shape hq=1,n=8 --dtype f16", 2, NULL, "--dtype and --shape exclude each other"},
    {"verify --shape hq=1,n=8 --property determinism", 2, NULL, "--shape and --property exclude"},
    {"verify --property determinism --full", 2, NULL, "--full and --property exclude each other"},
    {"verify --operation select_blocks --patterns", 2, NULL, "select_blocks has no such shapes"},
    {"verify --operation selected_forward --configs 2", 2, NULL, "has no parameters of its own"},
    {"verify --family rows --set RV=99", 2, NULL, "--set: config: RV=99 is not one of"},
    {"verify --family rows --set COLOUR=1", 2, NULL, "'COLOUR' is not a parameter of rows"},
    {"report --db x --seed-db", 2, NULL, "--seed-db and --db exclude each other"},
    {"db export --submit --best", 2, NULL, "--submit and --best exclude each other"},
    {"db export --submit --status ok", 2, NULL, "--submit and --status exclude each other"},
    {"db list --quarantine --device x", 2, NULL, "--device does not go with --quarantine"},
    {"db list --json --wide", 2, NULL, "--wide and --json exclude each other"},
    {"bench --plot x.svg --csv --json", 2, NULL, "--csv and --json exclude each other"},
    {"source", 2, NULL, "--shape is missing"},
    {"source --shape hq=3,hkv=2,n=8", 2, NULL, "one must divide the other"},
    {"source --shape hq=1,hkv=1,n=8,d=1025", 2, NULL,
     "d is '1025'; expected a number from 1 to 1024"},
    {"source --shape hq=1,hkv=1,n=8 --family nonsense", 2, NULL, "'nonsense'"},
    {"source --shape hq=1,hkv=1,n=8 --set A=1", 2, NULL, "--set needs --family"},
    {"source --shape hq=1,n=80,window=4:0,globals=2", 0, "window=4:0,globals=2\n", NULL},
    {"source --shape b=3,hq=1,n=8,ragged=20:20,bias=f16/q,keymask,sinks", 0, " * step 1 ", NULL},
    {"source --shape hq=2,n=80,blocks=8x8@0.5/h", 0, ", global ", NULL},
    {"source --shape hq=1,n=8,window=4", 2, NULL, "shape: window is '4'; expected LEFT:RIGHT"},
    {"source --shape hq=1,n=8,blocks=4x4@1,globals=2", 2, NULL, "not together with desc.blocks"},
    {"verify --shape hq=1,n=8,bias=f8/", 2, NULL, "bias is 'f8/'; expected TYPE/DIMS"},
    {"tune --shape hq=1,n=8,softcap=0", 2, NULL, "softcap is '0'; expected a finite number above"},
};
enum { CALL_COUNT = sizeof calls / sizeof calls[0] };

static void check_stream(const char *text, const char *wanted, const char *arguments)
{
    if (wanted)
        ck_assert_msg(strstr(text, wanted), "sqa %s: '%s' lacks '%s'", arguments, text, wanted);
    else
        ck_assert_msg(!*text, "sqa %s: unexpected '%s'", arguments, text);
}

START_TEST(exit_codes)
{
    const program_result *result = run_sqa("%s", calls[_i].arguments);
    ck_assert_msg(result->code == calls[_i].code, "sqa %s: exit %d: %s", calls[_i].arguments,
                  result->code, result->err);
    check_stream(result->out, calls[_i].out, calls[_i].arguments);
    check_stream(result->err, calls[_i].err, calls[_i].arguments);
}
END_TEST

/* Enough of a reader to see that a document is well-formed JSON. */
static const char *skip_value(const char *at);

static const char *skip_blank(const char *at)
{
    return at + strspn(at, " \n");
}

static const char *skip_string(const char *at)
{
    ck_assert_int_eq(*at++, '"');
    for (; *at != '"'; at++) {
        ck_assert_msg((unsigned char)*at >= 0x20, "a bare control character in a string");
        if (*at == '\\') {
            at++;
            ck_assert_msg(strchr("\"\\/bfnrtu", *at) && *at, "an unknown escape");
        }
    }
    return at + 1;
}

static const char *skip_members(const char *at, char closer)
{
    at = skip_blank(at + 1);
    while (*at != closer) {
        if (closer == '}') {
            at = skip_blank(skip_string(at));
            ck_assert_int_eq(*at++, ':');
        }
        at = skip_blank(skip_value(skip_blank(at)));
        ck_assert_msg(*at == ',' || *at == closer, "neither a comma nor the end: %.20s", at);
        at = *at == ',' ? skip_blank(at + 1) : at;
    }
    return at + 1;
}

static const char *skip_value(const char *at)
{
    static const char *const words[] = {"true", "false", "null"};
    for (int i = 0; i < 3; i++)
        if (!strncmp(at, words[i], strlen(words[i])))
            return at + strlen(words[i]);
    if (*at == '{' || *at == '[')
        return skip_members(at, *at == '{' ? '}' : ']');
    if (*at == '"')
        return skip_string(at);
    char *end = NULL;
    double value = strtod(at, &end);
    ck_assert_msg(end != at && isfinite(value), "not a value: %.20s", at);
    return end;
}

static void check_json(const char *text)
{
    ck_assert_int_eq(text[0], '{');
    ck_assert_str_eq(skip_value(text), "\n");
    ck_assert_msg(strstr(text, "\"schema\": 1"), "no schema: %s", text);
}

START_TEST(info_json)
{
    const program_result *result = run_sqa("info --json");
    ck_assert_int_eq(result->code, 0);
    check_json(result->out);
    ck_assert_ptr_nonnull(strstr(result->out, "\"id\": \"0:0\""));
    ck_assert_ptr_nonnull(strstr(result->out, "\"fma_gflops\": null"));
    ck_assert_ptr_nonnull(strstr(result->out, "\"state\": \"missing\""));
    ck_assert_str_eq(result->err, "");
}
END_TEST

START_TEST(info_tells_of_the_binary_cache)
{
    ck_assert_ptr_nonnull(strstr(run_sqa("info --json")->out, "\"binary_cache\""));
    ck_assert_int_eq(setenv("SQA_CL_CACHE", "/nowhere/at/all", 1), 0);
    const program_result *result = run_sqa("info");
    ck_assert_ptr_nonnull(strstr(result->out, "/nowhere/at/all  0 programs, 0.0 MiB"));
    ck_assert_str_eq(result->err, "");
    ck_assert_int_eq(setenv("SQA_CL_CACHE", "off", 1), 0);
    ck_assert_ptr_nonnull(strstr(run_sqa("info")->out, "off: every process"));
}
END_TEST

static void make_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", work_folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

/* Drivers that the loader passes over without a word. */
START_TEST(info_with_drivers_that_fail)
{
    leave_platforms();
    make_file("a.icd", "libsqa_none.so.7\n");
    make_file("b.icd", "");
    make_file("c.icd", "libm.so.6"); /* a library, but no driver */
    make_file("d.icd.kept", "libsqa_none.so.8");
    const program_result *result = run_sqa("info");
    ck_assert_int_eq(result->code, 0);
    static const char *const said[] = {"No OpenCL platform: 3 of 3 drivers do not load.",
                                       "/a.icd  libsqa_none.so.7: cannot open shared object file",
                                       "/b.icd  names no library", "/c.icd  no OpenCL driver"};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        ck_assert_msg(strstr(result->out, said[i]), "no '%s': %s", said[i], result->out);
    ck_assert_ptr_null(strstr(result->out, "none.so.8"));
    ck_assert_ptr_null(strstr(result->out, "apt-get"));
    result = run_sqa("info --json");
    check_json(result->out);
    ck_assert_ptr_nonnull(strstr(result->out, "\"library\": \"libsqa_none.so.7\""));
    ck_assert_ptr_nonnull(strstr(result->out, "\"library\": null"));
    char file[128];
    snprintf(file, sizeof file, "%s/a.icd", work_folder);
    setenv("OCL_ICD_VENDORS", file, 1);
    ck_assert_ptr_nonnull(strstr(run_sqa("info")->out, "1 of 1 drivers do not load"));
    return_to_platforms();
    ck_assert_ptr_null(strstr(run_sqa("info")->out, "do not load"));
}
END_TEST

/* Saved by an editor that begins with a byte order mark and ends lines its own way; through
 * a pipe; and what is no file of shapes. */
START_TEST(files_of_shapes)
{
    make_file("shapes", "\xef\xbb\xbfhq=2,n=64,d=16 # first\r\n\r\n  hq=1,n=32,d=8\r\n");
    const program_result *result = run_sqa("tune --dry-run --json --shapes %s/shapes", work_folder);
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_ptr_nonnull(strstr(result->out, "\"b=1,hq=2,hkv=2,nq=64,nk=64,d=16\""));
    ck_assert_ptr_nonnull(strstr(result->out, "\"b=1,hq=1,hkv=1,nq=32,nk=32,d=8\""));
    make_file("shapes", "hq=1,n=32\n\nhq=0,n=32");
    result = run_sqa("tune --dry-run --shapes %s/shapes", work_folder);
    ck_assert_int_eq(result->code, 2);
    ck_assert_ptr_nonnull(strstr(result->err, "/shapes, line 3: "));
    static const char *const options[] = {"tune --dry-run --shapes", "capture --out x --shapes",
                                          "source --shape hq=1,n=8 --device-profile",
                                          "tune --replay"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        result = run_sqa("%s %s", options[i], work_folder);
        ck_assert_msg(result->code == 2 && strstr(result->err, "Is a directory"), "%s: %s",
                      options[i], result->err);
        result = run_sqa("%s %s/none", options[i], work_folder);
        ck_assert_msg(result->code == 2 && strstr(result->err, "/none: No such file"), "%s: %s",
                      options[i], result->err);
    }
    make_file("shapes", "\xff\xfeh");
    char path[128];
    snprintf(path, sizeof path, "%s/shapes", work_folder);
    FILE *wide = fopen(path, "ab"); /* UTF-16 */
    ck_assert_ptr_nonnull(wide);
    ck_assert_uint_eq(fwrite("\0q\0=\0", 1, 6, wide), 6);
    ck_assert_int_eq(fclose(wide), 0);
    result = run_sqa("tune --dry-run --shapes %s", path);
    ck_assert_ptr_nonnull(strstr(result->err, "not a text; expected UTF-8"));
}
END_TEST

/* By all that make its tensors on the device, before anything is computed. */
START_TEST(no_room_on_the_device)
{
    static const char *const demands[] = {
        "tune --budget 4s --shape hq=64,n=268435456,d=512",
        "tune --dry-run --shape hq=64,n=268435456,d=512",
        "tune --family rows --record %s/sweep --shape hq=64,n=268435456,d=512",
        "verify --shape hq=64,n=268435456,d=512",
        "bench --variant mha --heads 64 --seq 8192000 --dim 512 --batch 1000",
    };
    for (size_t i = 0; i < sizeof demands / sizeof *demands; i++) {
        char call[256];
        snprintf(call, sizeof call, "%s", demands[i]);
        char *folder = strstr(call, "%s");
        if (folder)
            memcpy(folder, "/t", 2);
        const program_result *result = run_sqa("%s", call);
        ck_assert_msg(result->code == 1, "sqa %s: exit %d: %s", call, result->code, result->err);
        ck_assert_str_eq(result->out, "");
        ck_assert_msg(strstr(result->err, ": q of ") &&
                          strstr(result->err, " GiB; one buffer of this device has "),
                      "%s", result->err);
    }
}
END_TEST

START_TEST(info_without_any_platform)
{
    leave_platforms();
    const program_result *result = run_sqa("info");
    ck_assert_int_eq(result->code, 0);
    ck_assert_ptr_nonnull(strstr(result->out, "No OpenCL platform is installed: there is no .icd"));
    ck_assert_ptr_nonnull(strstr(result->out, "apt-get install pocl-opencl-icd"));
    result = run_sqa("info --json");
    ck_assert_int_eq(result->code, 0);
    check_json(result->out);
    result = run_sqa("source --shape hq=1,hkv=1,n=8");
    ck_assert_int_eq(result->code, 1);
    ck_assert_str_eq(result->err,
                     "sqa source: there is no OpenCL platform; `sqa info` tells what there is\n");
    return_to_platforms();
}
END_TEST

/* The comment that heads the source is one comment, and the rest compiles: the
 * same fragments are built by every other test; here they must be complete. */
START_TEST(source_is_complete)
{
    const program_result *result =
        run_sqa("source --shape b=1,hq=8,hkv=2,n=128,d=64,causal,lse --family naive");
    ck_assert_msg(result->code == 0, "%s", result->err);
    ck_assert_int_eq(strncmp(result->out, "/* libsqa_cl ", 13), 0);
    char *end = strstr(result->out, "*/");
    ck_assert_ptr_nonnull(end);
    static const char *const needed[] = {"family    naive", "options   -cl", "step 1 ", "global ",
                                         "b=1,hq=8,hkv=2,nq=128,nk=128,d=64,causal,lse"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        char *found = strstr(result->out, needed[i]);
        ck_assert_msg(found && found < end, "%s", needed[i]);
    }
    ck_assert_ptr_nonnull(strstr(result->out, "\n#define CHUNK 16 /* output columns "));
    ck_assert_ptr_null(strstr(result->out, "#if SQA_"));
    ck_assert_ptr_null(strstr(result->out, "window"));
    cl_device_id device;
    sqa_context *context = NULL;
    ck_assert_int_eq(sqa_context_open(&context, 0, 0, NULL), SQA_OK);
    device = sqa_context_cl_device(context);
    cl_int code = CL_SUCCESS;
    const char *text = result->out;
    cl_program program = clCreateProgramWithSource(sqa_context_cl(context), 1, &text, NULL, &code);
    ck_assert_int_eq(code, CL_SUCCESS);
    ck_assert_int_eq(clBuildProgram(program, 1, &device, "-cl-std=CL1.2", NULL, NULL), CL_SUCCESS);
    clReleaseProgram(program);
    sqa_context_destroy(context);
}
END_TEST

START_TEST(device_numbers)
{
    static const char *const wrong[] = {"0",
                                        ":",
                                        "0:",
                                        ":0",
                                        "a:b",
                                        "0:0x",
                                        "-1:0",
                                        "1000:0",
                                        "0:0:0",
                                        " 0:0",
                                        "99999999999999999999:0"};
    unsigned platform = 7, device = 7;
    ck_assert_int_eq(sqa_device_option("12:3", &platform, &device), SQA_OK);
    ck_assert_uint_eq(platform, 12);
    ck_assert_uint_eq(device, 3);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(sqa_device_option(wrong[i], &platform, &device) == SQA_INVALID_ARGUMENT, "%s",
                      wrong[i]);
    ck_assert_uint_eq(platform, 12);
    setenv("SQA_CL_DEVICE", "1:2", 1);
    ck_assert_int_eq(sqa_device_option(NULL, &platform, &device), SQA_OK);
    ck_assert_uint_eq(platform, 1);
    setenv("SQA_CL_DEVICE", "nonsense", 1);
    ck_assert_int_eq(sqa_device_option(NULL, &platform, &device), SQA_INVALID_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(sqa_last_error(), "$SQA_CL_DEVICE"));
    unsetenv("SQA_CL_DEVICE");
    ck_assert_int_eq(sqa_device_option(NULL, &platform, &device), SQA_OK);
    ck_assert_uint_eq(platform + device, 0);
}
END_TEST

START_TEST(json_values)
{
    char text[2048] = "";
    FILE *file = fmemopen(text, sizeof text, "w");
    ck_assert_ptr_nonnull(file);
    sqa_json json;
    sqa_json_begin(&json, file);
    sqa_json_string(&json, "text", "a\"b\\c\n\t\x01\x7f \xc3\xa9 \xff\xc0\x80 \xed\xa0\x80");
    sqa_json_string(&json, "none", NULL);
    sqa_json_number(&json, "nan", NAN);
    sqa_json_number(&json, "pi", 3.25);
    sqa_json_array(&json, "list");
    sqa_json_integer(&json, NULL, INT64_MIN);
    sqa_json_object(&json, NULL);
    sqa_json_close(&json);
    sqa_json_boolean(&json, NULL, true);
    sqa_json_finish(&json); /* closes what is open */
    fclose(file);
    check_json(text);
    ck_assert_ptr_nonnull(strstr(text, "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f \xc3\xa9 \\ufffd"));
    ck_assert_ptr_nonnull(strstr(text, "\"nan\": null"));
    ck_assert_ptr_nonnull(strstr(text, "-9223372036854775808"));
}
END_TEST

START_TEST(room)
{
    static const struct {
        const char *shape;
        uint64_t buffer, memory;
        const char *message; /* "": it fits */
    } cases[] = {
        {"hq=2,n=64,d=8", 4096, 16384, ""},
        {"hq=2,n=64,d=8", 0, 0, ""}, /* which the device does not tell */
        {"hq=2,n=64,d=8", 4095, 0, "q of 3.815e-06 GiB; one buffer of this device has 3.814e-06"},
        {"hq=1,hkv=2,n=64,d=8", 4095, 0, "k of 3.815e-06 GiB; one buffer"},
        {"hq=2,n=64,d=8", 4096, 16383, "tensors of 1.526e-05 GiB; the memory of this device has"},
        {"hq=2,n=64,d=8,dtype=f16", 2048, 8192, ""},
        {"op=select_blocks,hq=2,n=64,d=8,blocks=8x8,topk=2", 4095, 0, "q of "},
        {"b=64,hq=64,n=1073741824,d=64", UINT64_C(1) << 49, 0, "q of 1.049e+06 GiB"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sqa_problem problem;
        const sqa_device device = {.limits = {.max_allocation_bytes = cases[i].buffer,
                                              .global_memory_bytes = cases[i].memory}};
        ck_assert_msg(sqa_problem_parse(cases[i].shape, &problem) == SQA_OK, "%s",
                      sqa_last_error());
        const sqa_status status = sqa_memory_check(&problem, &device);
        ck_assert_int_eq(status, cases[i].message[0] ? SQA_OUT_OF_MEMORY : SQA_OK);
        if (status != SQA_OK)
            ck_assert_msg(strstr(sqa_last_error(), cases[i].message), "%s", sqa_last_error());
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sqa");
    TCase *tests = tcase_create("program");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, work_folder_set_up, work_folder_tear_down);
    tcase_add_loop_test(tests, exit_codes, 0, CALL_COUNT);
    tcase_add_test(tests, info_json);
    tcase_add_test(tests, info_tells_of_the_binary_cache);
    tcase_add_test(tests, info_without_any_platform);
    tcase_add_test(tests, info_with_drivers_that_fail);
    tcase_add_test(tests, files_of_shapes);
    tcase_add_test(tests, no_room_on_the_device);
    tcase_add_test(tests, source_is_complete);
    suite_add_tcase(suite, tests);
    TCase *parts = tcase_create("parts");
    tcase_add_test(parts, device_numbers);
    tcase_add_test(parts, json_values);
    tcase_add_test(parts, room);
    suite_add_tcase(suite, parts);
    return sqa_run_suite(suite);
}
