/* Pre-built programs without a device: the manifest whatever it holds, keys that change
 * when they should, and a folder that hands out nothing but what it promised. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device/binary_key.h"
#include "device/prebuilt.h"
#include "run_suite.h"

#define HEADER                                                                                     \
    "key\toperation\tfamily\tspace_version\tconfig\tshape\toptions\tsource\tbinary\tbinary_bytes"  \
    "\tbinary_hash\n"
#define KEY "0123456789abcdef0123456789abcdef"
#define HASH "ffffffffffffffffffffffffffffffff"
#define TEXTS "\tforward\tnaive\t1\tCHUNK=4\thq=1,n=8\t-w\t"
#define UNBUILT KEY TEXTS KEY ".cl\t-\t-\t-\n"
#define BUILT KEY TEXTS KEY ".cl\tp.bin\t7\t" HASH "\n"

static sqa_manifest manifest;

static void forget(void)
{
    sqa_manifest_free(&manifest);
}

static void parse(const char *text, size_t size)
{
    sqa_manifest_free(&manifest);
    ck_assert_int_eq(sqa_manifest_parse(&manifest, text, size), SQA_OK);
}

static const char *formatted(sqa_text *text)
{
    sqa_text_free(text);
    sqa_manifest_format(&manifest, text);
    return sqa_text_get(text);
}

START_TEST(what_is_written_is_read)
{
    static const char other[] = "fedcba98765432100123456789abcdef";
    sqa_text text = SQA_TEXT_INIT;
    sqa_manifest_entry entry = {.key = KEY,
                                .operation = "forward",
                                .family = "naive",
                                .space_version = 1,
                                .config = "CHUNK=4",
                                .shape = "hq=1,n=8",
                                .options = "-w",
                                .source = KEY ".cl"};
    ck_assert_int_eq(sqa_manifest_put(&manifest, &entry), SQA_OK);
    ck_assert_str_eq(formatted(&text), HEADER UNBUILT);
    entry.key = other;
    entry.config = "";
    ck_assert_int_eq(sqa_manifest_put(&manifest, &entry), SQA_OK);
    /* A change keeps an entry's place; the texts may be the entry's own. */
    entry = *sqa_manifest_find(&manifest, KEY);
    entry.binary = "p.bin";
    entry.binary_bytes = 7;
    entry.binary_hash = HASH;
    ck_assert_int_eq(sqa_manifest_put(&manifest, &entry), SQA_OK);
    ck_assert_uint_eq(manifest.count, 2);
    ck_assert_int_eq(strncmp(formatted(&text), HEADER BUILT, sizeof HEADER BUILT - 1), 0);
    char *kept = strdup(sqa_text_get(&text));
    ck_assert_ptr_nonnull(kept);
    parse(kept, strlen(kept));
    ck_assert_uint_eq(manifest.refused, 0);
    ck_assert_str_eq(formatted(&text), kept);
    const sqa_manifest_entry *found = sqa_manifest_find(&manifest, KEY);
    ck_assert_str_eq(found->config, "CHUNK=4");
    ck_assert_str_eq(found->binary, "p.bin");
    ck_assert_uint_eq(found->binary_bytes, 7);
    ck_assert_ptr_null(sqa_manifest_find(&manifest, other)->binary);
    ck_assert_ptr_null(sqa_manifest_find(&manifest, HASH));
    free(kept);
    sqa_text_free(&text);
}
END_TEST

START_TEST(what_could_not_be_read_is_not_written)
{
    const sqa_manifest_entry sound = {.key = KEY,
                                      .operation = "forward",
                                      .family = "naive",
                                      .space_version = 1,
                                      .config = "",
                                      .shape = "",
                                      .options = "",
                                      .source = "a.cl"};
    sqa_manifest_entry bad[] = {sound, sound, sound, sound};
    bad[0].key = "0123";
    bad[1].config = "a\tb";
    bad[2].shape = "a\nb";
    bad[3].source = "../a.cl";
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_int_eq(sqa_manifest_put(&manifest, &bad[i]), SQA_INVALID_ARGUMENT);
    ck_assert_uint_eq(manifest.count, 0);
}
END_TEST

/* Each alone between two sound lines. */
static const char *const hostile[] = {
    "\n",
    "\t\t\t\t\t\t\t\t\t\t\n",
    "nonsense\n",
    KEY "\n",
    KEY TEXTS "a.cl\t-\t-\n",
    KEY TEXTS "a.cl\t-\t-\t-\t-\n",
    KEY TEXTS "a.cl\t-\t7\t-\n",
    KEY TEXTS "a.cl\tp.bin\t-\t" HASH "\n",
    KEY TEXTS "a.cl\tp.bin\t0\t" HASH "\n",
    KEY TEXTS "a.cl\tp.bin\t-7\t" HASH "\n",
    KEY TEXTS "a.cl\tp.bin\t07\t" HASH "\n",
    KEY TEXTS "a.cl\tp.bin\t7x\t" HASH "\n",
    KEY TEXTS "a.cl\tp.bin\t18446744073709551616\t" HASH "\n",
    KEY TEXTS "a.cl\tp.bin\t7\tfff\n",
    KEY TEXTS "a.cl\tp.bin\t7\tFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF\n",
    KEY TEXTS "a.cl\t/etc/passwd\t7\t" HASH "\n",
    KEY TEXTS "a.cl\t../p.bin\t7\t" HASH "\n",
    KEY TEXTS "a.cl\t..\t7\t" HASH "\n",
    KEY TEXTS "a.cl\t.hidden\t7\t" HASH "\n",
    KEY TEXTS "a.cl\tsub/p.bin\t7\t" HASH "\n",
    KEY TEXTS "a.cl\t\t7\t" HASH "\n",
    KEY TEXTS "\xc3\xa9.cl\t-\t-\t-\n",
    KEY TEXTS "../a.cl\t-\t-\t-\n",
    KEY TEXTS "a.cl\t-\t-\t-\r\n",
    "0123456789abcdef0123456789abcdeg" TEXTS "a.cl\t-\t-\t-\n",
    "../../../../../../../../../../..a" TEXTS "a.cl\t-\t-\t-\n",
    KEY "\t\tnaive\t1\t\t\t\ta.cl\t-\t-\t-\n",
    KEY "\tforward\tnaive\t4294967296\t\t\t\ta.cl\t-\t-\t-\n",
    KEY "\tforward\tnaive\t1\t\x1b[2J\t\t\ta.cl\t-\t-\t-\n",
    /* a key that is there already */
    "11111111111111111111111111111111" TEXTS "a.cl\t-\t-\t-\n",
};
enum { HOSTILE_COUNT = sizeof hostile / sizeof hostile[0] };

START_TEST(a_hostile_line_is_left_out)
{
    static const char before[] =
        HEADER "11111111111111111111111111111111" TEXTS "b.cl\tp.bin\t7\t" HASH "\n";
    static const char after[] = "22222222222222222222222222222222" TEXTS "c.cl\t-\t-\t-\n";
    char text[4096];
    int length = snprintf(text, sizeof text, "%s%s%s", before, hostile[_i], after);
    parse(text, (size_t)length);
    ck_assert_msg(manifest.count == 2, "line %d was taken", _i);
    ck_assert_uint_eq(manifest.refused, 1);
    ck_assert_uint_eq(manifest.refused_line, 3);
    ck_assert_ptr_nonnull(manifest.why);
    ck_assert_str_eq(manifest.entries[0].binary, "p.bin");
}
END_TEST

/* The text ends anywhere: nothing half is taken, nothing is read beyond it. */
START_TEST(a_cut_manifest)
{
    static const char whole[] = HEADER BUILT;
    for (size_t size = 0; size < sizeof whole - 2; size++) {
        char *copy = malloc(size ? size : 1); /* so that sanitizers see its end */
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, whole, size);
        parse(copy, size);
        ck_assert_msg(manifest.count == 0, "%zu bytes were taken", size);
        free(copy);
    }
    parse(whole, sizeof whole - 2); /* only the last newline is missing */
    ck_assert_uint_eq(manifest.count, 1);
}
END_TEST

START_TEST(zeros_long_lines_and_other_formats)
{
    static const char zero[] = HEADER "0123456789abcdef\0" BUILT BUILT;
    parse(zero, sizeof zero - 1);
    ck_assert_uint_eq(manifest.refused, 1);
    ck_assert_uint_eq(manifest.count, 1);
    static char text[sizeof HEADER + 100000];
    snprintf(text, sizeof text, "%s", HEADER);
    memset(text + sizeof HEADER - 1, 'a', sizeof text - sizeof HEADER);
    parse(text, sizeof text - 1);
    ck_assert_uint_eq(manifest.refused, 1);
    static const char older[] = "key\tfile\n" BUILT;
    parse(older, sizeof older - 1);
    ck_assert_uint_eq(manifest.count, 0);
    ck_assert_uint_eq(manifest.refused_line, 1);
}
END_TEST

static void key_of(const sqa_device_strings *strings, const char *options, const char *source,
                   char out[SQA_HASH_TEXT])
{
    ck_assert_int_eq(sqa_prebuilt_key(out, strings, options, source), SQA_OK);
    ck_assert_uint_eq(strlen(out), SQA_HASH_TEXT - 1);
}

START_TEST(keys)
{
    const sqa_device_strings device = {.platform_name = "FPGA SDK",
                                       .platform_version = "OpenCL 1.2 SDK 19",
                                       .device_name = "a10gx",
                                       .device_vendor = "Vendor",
                                       .device_version = "OpenCL 1.0",
                                       .driver_version = "19.1",
                                       .board_name = "board"};
    sqa_device_strings same = device, others[] = {device, device, device};
    char key[SQA_HASH_TEXT], other[SQA_HASH_TEXT];
    key_of(&device, "-w", "source", key);
    /* A key is kept in files: it may never change. */
    ck_assert_str_eq(key, "85f80cf48e009e696edee9c212d79e85");
    snprintf(same.driver_version, sizeof same.driver_version, "20.4");
    snprintf(same.platform_version, sizeof same.platform_version, "OpenCL 3.0");
    snprintf(same.device_version, sizeof same.device_version, "OpenCL 3.0");
    key_of(&same, "-w", "source", other);
    ck_assert_str_eq(other, key);
    snprintf(others[0].board_name, sizeof others[0].board_name, "board2");
    snprintf(others[1].device_name, sizeof others[1].device_name, "a10gxx");
    snprintf(others[2].device_vendor, sizeof others[2].device_vendor, "Other");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        key_of(&others[i], "-w", "source", other);
        ck_assert_str_ne(other, key);
    }
    key_of(&device, "-W", "source", other);
    ck_assert_str_ne(other, key);
    key_of(&device, "-w", "source ", other);
    ck_assert_str_ne(other, key);
    key_of(&device, "", "-wsource", other);
    ck_assert_str_ne(other, key);
}
END_TEST

static char folder[64];
static int warnings;

static void count_warning(void *user, sqa_log_level level, const char *message)
{
    (void)user, (void)message;
    warnings += level <= SQA_LOG_WARNING;
}

static const sqa_log counting = {count_warning, NULL, SQA_LOG_DEBUG};

static void make_folder(void)
{
    warnings = 0;
    snprintf(folder, sizeof folder, "/tmp/sqa_prebuilt_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static void put_file(const char *name, const void *bytes, size_t size)
{
    ck_assert_int_eq(sqa_file_write(folder, name, SQA_FILE_SHARED, bytes, size), 0);
}

static const unsigned char binary[] = {0x7f, 'E', 'L', 'F', 0, 1, 2};

/* A folder with one program of the seven bytes above. */
static void fill_folder(void)
{
    char hash[SQA_HASH_TEXT], text[1024];
    const sqa_hash sum = sqa_hash_of(binary, sizeof binary);
    sqa_hash_format(&sum, hash);
    int length =
        snprintf(text, sizeof text, HEADER KEY TEXTS "a.cl\tp.bin\t%zu\t%s\n", sizeof binary, hash);
    put_file(SQA_PREBUILT_MANIFEST, text, (size_t)length);
    put_file("p.bin", binary, sizeof binary);
}

/* Opens the folder and asks for the program; what was said of it must contain `word`,
 * NULL: it must be handed out. Returns the warnings. */
static int ask(const char *key, const char *word)
{
    sqa_prebuilt *prebuilt = NULL;
    sqa_file file = {0};
    sqa_text why = SQA_TEXT_INIT;
    warnings = 0;
    ck_assert_int_eq(sqa_prebuilt_open(&prebuilt, folder, &counting), SQA_OK);
    bool loaded = sqa_prebuilt_load(prebuilt, key, &file, &why);
    ck_assert_msg(loaded == !word, "%s", sqa_text_get(&why));
    ck_assert_msg(!word || strstr(sqa_text_get(&why), word), "'%s' lacks '%s'", sqa_text_get(&why),
                  word);
    ck_assert_msg(loaded == (file.bytes != NULL), "bytes of a bad file were handed out");
    if (loaded) {
        ck_assert_uint_eq(file.size, sizeof binary);
        ck_assert_mem_eq(file.bytes, binary, sizeof binary);
    }
    free(file.bytes);
    sqa_text_free(&why);
    sqa_prebuilt_close(prebuilt);
    return warnings;
}

START_TEST(a_sound_binary_is_handed_out)
{
    fill_folder();
    ck_assert_int_eq(ask(KEY, NULL), 0);
    ck_assert_int_eq(ask(HASH, "is not in"), 0);
}
END_TEST

START_TEST(a_damaged_binary_is_not)
{
    fill_folder();
    for (size_t i = 0; i < sizeof binary; i++) {
        unsigned char changed[sizeof binary];
        memcpy(changed, binary, sizeof binary);
        changed[i] ^= 0x10;
        put_file("p.bin", changed, sizeof changed);
        ck_assert_int_eq(ask(KEY, "damaged"), 1);
        put_file("p.bin", binary, i);
        ck_assert_int_eq(ask(KEY, "not as long"), 1);
    }
    put_file("p.bin", HEADER, sizeof HEADER);
    ck_assert_int_eq(ask(KEY, "not as long"), 1);
}
END_TEST

START_TEST(a_binary_that_is_no_file_of_its_own)
{
    char path[128], elsewhere[128];
    fill_folder();
    snprintf(path, sizeof path, "%s/p.bin", folder);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", folder);
    ck_assert_int_eq(chmod(path, 0666), 0);
    ck_assert_int_eq(ask(KEY, "everybody's to write"), 1);
    ck_assert_int_eq(rename(path, elsewhere), 0);
    ck_assert_int_eq(ask(KEY, "not there"), 1);
    ck_assert_int_eq(symlink(elsewhere, path), 0);
    ck_assert_int_eq(ask(KEY, "a link"), 1);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(ask(KEY, "not a plain file"), 1);
}
END_TEST

START_TEST(a_useless_folder_costs_one_warning)
{
    ck_assert_int_eq(ask(KEY, "is not in"), 1);
    put_file(SQA_PREBUILT_MANIFEST, HEADER "nonsense\nnonsense\n" UNBUILT,
             sizeof HEADER "nonsense\nnonsense\n" UNBUILT - 1);
    ck_assert_int_eq(ask(KEY, "has no binary yet"), 1);
    remove_folder();
    ck_assert_int_eq(ask(KEY, "is not in"), 1);
}
END_TEST

START_TEST(no_folder_is_none)
{
    sqa_prebuilt *prebuilt = NULL;
    sqa_file file;
    sqa_text why = SQA_TEXT_INIT;
    char path[16];
    ck_assert_int_eq(sqa_prebuilt_open(&prebuilt, "", &counting), SQA_OK);
    ck_assert_ptr_null(prebuilt);
    ck_assert(!sqa_prebuilt_has(NULL, KEY));
    ck_assert(!sqa_prebuilt_load(NULL, KEY, &file, &why));
    ck_assert_ptr_nonnull(strstr(sqa_text_get(&why), "$SQA_CL_PREBUILT"));
    sqa_text_free(&why);
    ck_assert_int_eq(setenv("SQA_CL_PREBUILT", "/there", 1), 0);
    ck_assert(sqa_prebuilt_folder_path(NULL, path, sizeof path));
    ck_assert_str_eq(path, "/there");
    ck_assert(!sqa_prebuilt_folder_path("", path, sizeof path));
    ck_assert(!sqa_prebuilt_folder_path("/a/path/that/does/not/fit", path, sizeof path));
    ck_assert_str_eq(path, "");
    ck_assert_int_eq(unsetenv("SQA_CL_PREBUILT"), 0);
    ck_assert(!sqa_prebuilt_folder_path(NULL, path, sizeof path));
    ck_assert_int_eq(warnings, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prebuilt");
    TCase *texts = tcase_create("manifest");
    tcase_add_checked_fixture(texts, NULL, forget);
    tcase_add_test(texts, what_is_written_is_read);
    tcase_add_test(texts, what_could_not_be_read_is_not_written);
    tcase_add_loop_test(texts, a_hostile_line_is_left_out, 0, HOSTILE_COUNT);
    tcase_add_test(texts, a_cut_manifest);
    tcase_add_test(texts, zeros_long_lines_and_other_formats);
    tcase_add_test(texts, keys);
    suite_add_tcase(suite, texts);
    TCase *folders = tcase_create("folder");
    tcase_add_checked_fixture(folders, make_folder, remove_folder);
    tcase_add_test(folders, a_sound_binary_is_handed_out);
    tcase_add_test(folders, a_damaged_binary_is_not);
    tcase_add_test(folders, a_binary_that_is_no_file_of_its_own);
    tcase_add_test(folders, a_useless_folder_costs_one_warning);
    tcase_add_test(folders, no_folder_is_none);
    suite_add_tcase(suite, folders);
    return sqa_run_suite(suite);
}
