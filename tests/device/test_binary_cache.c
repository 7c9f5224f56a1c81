/* The binary cache as a folder: keys, where it is, its bound, writers at once, and
 * folders that cannot be used. No OpenCL. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/draft.h"
#include "device/binary_cache.h"
#include "device/binary_folder.h"
#include "device/binary_key.h"
#include "run_suite.h"
#include "sqa_cl/version.h"

static char folder[64];
static int messages[SQA_LOG_DEBUG + 1];
static char last_message[512];

static void count_message(void *user, sqa_log_level level, const char *message)
{
    (void)user;
    messages[level]++;
    snprintf(last_message, sizeof last_message, "%s", message);
}

static const sqa_log test_log = {count_message, NULL, SQA_LOG_INFO};

static void make_folder(void)
{
    memset(messages, 0, sizeof messages);
    last_message[0] = '\0';
    snprintf(folder, sizeof folder, "/tmp/sqa_binary_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert_int_eq(system(command), 0);
}

static sqa_binary_cache *open_cache(const char *where, uint64_t limit)
{
    sqa_binary_cache *cache = NULL;
    ck_assert_int_eq(sqa_binary_cache_create(&cache, where, limit, &test_log), SQA_OK);
    return cache;
}

static sqa_text key_of(int number)
{
    sqa_text key = SQA_TEXT_INIT;
    sqa_text_format(&key, "key %d\n", number);
    ck_assert_int_eq(sqa_text_status(&key), SQA_OK);
    return key;
}

static void store(sqa_binary_cache *cache, int number, size_t size)
{
    sqa_text key = key_of(number);
    char *bytes = malloc(size);
    ck_assert_ptr_nonnull(bytes);
    memset(bytes, number, size);
    sqa_binary_cache_store(cache, &key, bytes, size);
    free(bytes);
    sqa_text_free(&key);
}

/* The size of what is loaded, whose every byte is the key's number; 0: nothing. */
static size_t load(sqa_binary_cache *cache, int number)
{
    sqa_text key = key_of(number);
    sqa_binary binary;
    size_t size = 0;
    if (sqa_binary_cache_load(cache, &key, &binary)) {
        size = binary.size;
        for (size_t i = 0; i < size; i++)
            ck_assert_uint_eq(binary.payload[i], (unsigned char)number);
        free(binary.image);
    }
    sqa_text_free(&key);
    return size;
}

static void path_of(int number, char *out, size_t size)
{
    char hash[SQA_HASH_TEXT];
    sqa_text key = key_of(number);
    sqa_hash_of_text(sqa_text_get(&key), hash);
    sqa_text_free(&key);
    snprintf(out, size, "%s/%s" SQA_BINARY_SUFFIX, folder, hash);
}

static void set_age(int number, time_t seconds)
{
    char path[160];
    const struct timespec times[2] = {{time(NULL) - seconds, 0}, {time(NULL) - seconds, 0}};
    path_of(number, path, sizeof path);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static sqa_binary_usage usage(void)
{
    sqa_binary_usage found;
    ck_assert_int_eq(sqa_binary_folder_usage(folder, &found), 0);
    return found;
}

static const sqa_device_strings strings = {.platform_name = "Portable",
                                           .platform_version = "OpenCL 2.0 p 1",
                                           .device_name = "chip",
                                           .device_vendor = "maker",
                                           .device_version = "OpenCL 2.0 d",
                                           .driver_version = "3.1"};

static void key_text(sqa_text *out, const sqa_device_strings *device, const char *options,
                     const char *source)
{
    sqa_text_free(out);
    sqa_binary_key(out, device, options, source);
    ck_assert_int_eq(sqa_text_status(out), SQA_OK);
}

/* Everything a program depends on makes another key, and so does where a part ends. */
START_TEST(keys_differ_by_every_part)
{
    sqa_device_strings others[7];
    sqa_text keys[11] = {SQA_TEXT_INIT};
    for (int i = 0; i < 7; i++)
        others[i] = strings;
    strcat(others[0].platform_name, "x");
    strcat(others[1].platform_version, "x");
    strcat(others[2].device_name, "x");
    strcat(others[3].device_vendor, "x");
    strcat(others[4].device_version, "x");
    strcat(others[5].driver_version, "x");
    strcat(others[6].board_name, "x");
    for (int i = 0; i < 7; i++)
        key_text(&keys[i], &others[i], "-a", "s");
    key_text(&keys[7], &strings, "-a", "s");
    key_text(&keys[8], &strings, "-a", "sx");
    key_text(&keys[9], &strings, "-ax", "s");
    key_text(&keys[10], &strings, "-as", "");
    for (int i = 0; i < 11; i++)
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(sqa_text_get(&keys[i]), sqa_text_get(&keys[j]));
    ck_assert_ptr_nonnull(strstr(sqa_text_get(&keys[7]), SQA_CL_VERSION_STRING));
    sqa_text again = SQA_TEXT_INIT;
    key_text(&again, &strings, "-a", "s");
    ck_assert_str_eq(sqa_text_get(&again), sqa_text_get(&keys[7]));
    sqa_text_free(&again);
    for (int i = 0; i < 11; i++)
        sqa_text_free(&keys[i]);
}
END_TEST

/* The published XXH3 value: names stay the same from one build to the next. */
START_TEST(hashes_are_the_published_ones)
{
    char text[SQA_HASH_TEXT];
    sqa_hash_of_text("", text);
    ck_assert_str_eq(text, "99aa06d3014798d86001c324468d497f");
}
END_TEST

START_TEST(what_is_kept_is_found)
{
    sqa_binary_cache *cache = open_cache(folder, SQA_BINARY_CACHE_BYTES);
    ck_assert_uint_eq(load(cache, 1), 0);
    store(cache, 1, 100);
    store(cache, 2, 7);
    ck_assert_uint_eq(load(cache, 1), 100);
    ck_assert_uint_eq(load(cache, 2), 7);
    ck_assert_uint_eq(load(cache, 3), 0);
    store(cache, 1, 50);
    ck_assert_uint_eq(load(cache, 1), 50);
    ck_assert_uint_eq(usage().entries, 2);
    sqa_binary_cache_destroy(cache);
    ck_assert_int_eq(messages[SQA_LOG_WARNING] + messages[SQA_LOG_INFO], 0);
}
END_TEST

START_TEST(a_damaged_file_is_discarded)
{
    char path[160];
    sqa_binary_cache *cache = open_cache(folder, SQA_BINARY_CACHE_BYTES);
    store(cache, 1, 100);
    path_of(1, path, sizeof path);
    ck_assert_int_eq(truncate(path, 60), 0);
    ck_assert_uint_eq(load(cache, 1), 0);
    ck_assert_int_eq(messages[SQA_LOG_INFO], 1);
    ck_assert_int_ne(access(path, F_OK), 0);
    store(cache, 1, 100);
    ck_assert_uint_eq(load(cache, 1), 100);
    sqa_binary_cache_destroy(cache);
}
END_TEST

/* As if two keys had one hash: the file of one lies where the other's should. */
START_TEST(a_hash_collision_does_not_matter)
{
    char from[160], to[160];
    sqa_binary_cache *cache = open_cache(folder, SQA_BINARY_CACHE_BYTES);
    store(cache, 1, 100);
    path_of(1, from, sizeof from);
    path_of(2, to, sizeof to);
    ck_assert_int_eq(rename(from, to), 0);
    ck_assert_uint_eq(load(cache, 2), 0);
    sqa_binary_cache_destroy(cache);
}
END_TEST

START_TEST(the_least_recently_used_leave)
{
    const size_t size = 10000;
    sqa_binary_cache *cache = open_cache(folder, 4 * size);
    for (int i = 1; i <= 3; i++) {
        store(cache, i, size);
        set_age(i, 100 - i);
    }
    ck_assert_uint_eq(load(cache, 1), size); /* the oldest is the most recently used now */
    store(cache, 4, size);
    ck_assert_uint_eq(usage().entries, 3);
    ck_assert_uint_le(usage().bytes, 4 * size);
    ck_assert_uint_eq(load(cache, 2), 0);
    ck_assert_uint_eq(load(cache, 1), size);
    ck_assert_uint_eq(load(cache, 3), size);
    ck_assert_uint_eq(load(cache, 4), size);
    store(cache, 5, 5 * size); /* larger than the cache: not kept, and nothing leaves for it */
    ck_assert_uint_eq(load(cache, 5), 0);
    ck_assert_uint_eq(usage().entries, 3);
    sqa_binary_cache_destroy(cache);
}
END_TEST

static void make_file(const char *name, time_t age)
{
    char path[160];
    const struct timespec times[2] = {{time(NULL) - age, 0}, {time(NULL) - age, 0}};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs("something that takes room", file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool has_file(const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

START_TEST(only_files_of_the_cache_are_removed)
{
    sqa_binary_cache *cache = open_cache(folder, 1);
    make_file("notes.txt", 100000);
    make_file("0123.bin", 100000);
    make_file(SQA_DRAFT_PREFIX "killed", 100000);
    make_file(SQA_DRAFT_PREFIX "writer", 0);
    make_file("0123456789abcdef0123456789abcdef.bin", 10);
    ck_assert_uint_eq(usage().entries, 1);
    sqa_binary_folder_trim(folder, 0);
    ck_assert(has_file("notes.txt"));
    ck_assert(has_file("0123.bin"));
    ck_assert(has_file(SQA_DRAFT_PREFIX "writer"));
    ck_assert(!has_file(SQA_DRAFT_PREFIX "killed"));
    ck_assert(!has_file("0123456789abcdef0123456789abcdef.bin"));
    sqa_binary_cache_destroy(cache);
}
END_TEST

static void expect_path(const char *chosen, const char *expected)
{
    char path[64];
    ck_assert_int_eq(sqa_binary_folder_path(chosen, path, sizeof path), expected[0] != '\0');
    ck_assert_str_eq(path, expected);
}

START_TEST(where_it_is)
{
    setenv("HOME", "/home/me", 1);
    unsetenv("XDG_CACHE_HOME");
    unsetenv("SQA_CL_CACHE");
    expect_path(NULL, "/home/me/.cache/sqa_cl");
    setenv("XDG_CACHE_HOME", "relative", 1);
    expect_path(NULL, "/home/me/.cache/sqa_cl");
    setenv("XDG_CACHE_HOME", "/xdg", 1);
    expect_path(NULL, "/xdg/sqa_cl");
    setenv("SQA_CL_CACHE", "/mine", 1);
    expect_path(NULL, "/mine");
    expect_path("/chosen", "/chosen");
    expect_path("", "");
    setenv("SQA_CL_CACHE", "off", 1);
    expect_path(NULL, "");
    expect_path("/chosen", "/chosen");
    setenv("SQA_CL_CACHE", "", 1);
    expect_path(NULL, "");
    unsetenv("SQA_CL_CACHE");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    expect_path(NULL, "");
    expect_path("/a/path/that/is/longer/than/the/sixty-four/bytes/there/are/for/it", "");
}
END_TEST

START_TEST(switched_off_it_is_null)
{
    sqa_binary_cache *cache = open_cache("", SQA_BINARY_CACHE_BYTES);
    ck_assert_ptr_null(cache);
    store(cache, 1, 100);
    ck_assert_uint_eq(load(cache, 1), 0);
    sqa_binary_cache_destroy(cache);
}
END_TEST

START_TEST(folders_are_made)
{
    char deep[128];
    struct stat info;
    snprintf(deep, sizeof deep, "%s/a/b/c", folder);
    sqa_binary_cache *cache = open_cache(deep, SQA_BINARY_CACHE_BYTES);
    ck_assert_uint_eq(load(cache, 1), 0);
    ck_assert_int_ne(access(deep, F_OK), 0); /* reading makes nothing */
    store(cache, 1, 100);
    ck_assert_uint_eq(load(cache, 1), 100);
    ck_assert_int_eq(stat(deep, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0700);
    sqa_binary_cache_destroy(cache);
}
END_TEST

/* A file where the folder should be: for root, too, nothing can be written. */
START_TEST(a_folder_that_cannot_be_used_warns_once)
{
    char below[128];
    make_file("file", 0);
    snprintf(below, sizeof below, "%s/file/cache", folder);
    sqa_binary_cache *cache = open_cache(below, SQA_BINARY_CACHE_BYTES);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(load(cache, 1), 0);
        store(cache, 1, 100);
    }
    ck_assert_int_eq(messages[SQA_LOG_WARNING], 1);
    ck_assert_int_eq(messages[SQA_LOG_ERROR] + messages[SQA_LOG_INFO], 0);
    ck_assert_ptr_nonnull(strstr(last_message, below));
    sqa_binary_cache_destroy(cache);
}
END_TEST

START_TEST(a_folder_without_permission_warns_once)
{
    if (geteuid() == 0 && seteuid(65534) != 0)
        return; /* root writes everywhere */
    char other[] = "/sqa_cl_no_such_place/cache";
    sqa_binary_cache *cache = open_cache(other, SQA_BINARY_CACHE_BYTES);
    store(cache, 1, 100);
    store(cache, 1, 100);
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(messages[SQA_LOG_WARNING], 1);
    sqa_binary_cache_destroy(cache);
}
END_TEST

/* A limit on file sizes stands in for a disk that is full. */
START_TEST(a_full_disk_leaves_nothing_behind)
{
    struct rlimit before, small;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    sqa_binary_cache *cache = open_cache(folder, SQA_BINARY_CACHE_BYTES);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 1000;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    store(cache, 1, 5000);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    ck_assert_int_eq(messages[SQA_LOG_WARNING], 1);
    ck_assert_msg(rmdir(folder) == 0, "a file was left behind");
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    sqa_binary_cache_destroy(cache);
}
END_TEST

enum { WRITERS = 6, ROUNDS = 25, KEYS = 5 };

/* What a process of many does: whatever it finds must be whole. Exit status 0: it was. */
static int write_and_read(int writer)
{
    sqa_binary_cache *cache = open_cache(folder, 40000);
    size_t found = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const int number = 1 + (round + writer) % KEYS;
        store(cache, number, 8000 + (size_t)(round % 3));
        const size_t size = load(cache, 1 + round % KEYS);
        if (size != 0 && (size < 8000 || size > 8002))
            return 1;
        found += size > 0;
    }
    sqa_binary_cache_destroy(cache);
    return found > 0 && messages[SQA_LOG_WARNING] + messages[SQA_LOG_INFO] == 0 ? 0 : 2;
}

START_TEST(writers_at_once_do_no_harm)
{
    pid_t children[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        ck_assert_int_ge(children[i], 0);
        if (children[i] == 0)
            _exit(write_and_read(i));
    }
    for (int i = 0; i < WRITERS; i++) {
        int status = -1;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "writer %d: %x", i, status);
    }
    ck_assert_uint_gt(usage().entries, 0);
    ck_assert_uint_le(usage().bytes, 40000);
    DIR *directory = opendir(folder);
    ck_assert_ptr_nonnull(directory);
    for (struct dirent *item; (item = readdir(directory));)
        ck_assert_msg(strncmp(item->d_name, SQA_DRAFT_PREFIX, sizeof SQA_DRAFT_PREFIX - 1) != 0,
                      "%s was left behind", item->d_name);
    closedir(directory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("binary_cache");
    TCase *tests = tcase_create("binary_cache");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, keys_differ_by_every_part);
    tcase_add_test(tests, hashes_are_the_published_ones);
    tcase_add_test(tests, what_is_kept_is_found);
    tcase_add_test(tests, a_damaged_file_is_discarded);
    tcase_add_test(tests, a_hash_collision_does_not_matter);
    tcase_add_test(tests, the_least_recently_used_leave);
    tcase_add_test(tests, only_files_of_the_cache_are_removed);
    tcase_add_test(tests, where_it_is);
    tcase_add_test(tests, switched_off_it_is_null);
    tcase_add_test(tests, folders_are_made);
    tcase_add_test(tests, a_folder_that_cannot_be_used_warns_once);
    tcase_add_test(tests, a_folder_without_permission_warns_once);
    tcase_add_test(tests, a_full_disk_leaves_nothing_behind);
    tcase_add_test(tests, writers_at_once_do_no_harm);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
