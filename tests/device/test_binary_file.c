/* Files of the binary cache: what was written is read back, and nothing that was cut,
 * changed, or put there by somebody else is taken for it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device/binary_file.h"
#include "run_suite.h"

static char folder[64], path[128];
static const char key[] = "7:options\n6:source\n";
static const unsigned char payload[] = {0, 1, 2, 0xff, '\n', 0, 'x'};
enum { KEY_SIZE = sizeof key - 1, IMAGE_SIZE = SQA_BINARY_FRAME_BYTES + KEY_SIZE + sizeof payload };

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/sqa_binary_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/entry", folder);
    ck_assert_int_eq(sqa_binary_write(folder, "entry", key, KEY_SIZE, payload, sizeof payload), 0);
}

static void remove_folder(void)
{
    if (unlink(path) != 0)
        ck_assert_int_eq(errno, ENOENT);
    ck_assert_msg(rmdir(folder) == 0, "something else was left in %s", folder);
}

static void read_image(unsigned char image[IMAGE_SIZE])
{
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fread(image, 1, IMAGE_SIZE, file), IMAGE_SIZE);
    ck_assert_int_eq(fgetc(file), EOF);
    fclose(file);
}

static void write_image(const unsigned char *image, size_t size)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(image, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static sqa_file_state read_entry(sqa_binary *binary)
{
    sqa_file_state state = sqa_binary_read(path, key, KEY_SIZE, binary);
    if (state != SQA_FILE_LOADED)
        ck_assert_ptr_null(binary->image);
    return state;
}

START_TEST(what_was_written_is_read)
{
    sqa_binary binary;
    struct stat info;
    const struct timespec long_ago[2] = {{1000, 0}, {1000, 0}};
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_eq(info.st_size, IMAGE_SIZE);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, long_ago, 0), 0);
    ck_assert_int_eq(read_entry(&binary), SQA_FILE_LOADED);
    ck_assert_uint_eq(binary.size, sizeof payload);
    ck_assert_mem_eq(binary.payload, payload, sizeof payload);
    free(binary.image);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_msg(info.st_mtime > 1000, "the use was not noted");
}
END_TEST

START_TEST(nothing_there_is_no_fault)
{
    sqa_binary binary;
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(read_entry(&binary), SQA_FILE_ABSENT);
}
END_TEST

/* Every length, and so every boundary of the header, the key and the payload. */
START_TEST(a_cut_file_is_refused)
{
    unsigned char image[IMAGE_SIZE];
    sqa_binary binary;
    read_image(image);
    for (size_t size = 0; size < IMAGE_SIZE; size++) {
        write_image(image, size);
        ck_assert_msg(read_entry(&binary) == SQA_FILE_REFUSED, "%zu bytes were taken", size);
        ck_assert_ptr_nonnull(binary.why);
    }
    write_image(image, IMAGE_SIZE);
    ck_assert_int_eq(read_entry(&binary), SQA_FILE_LOADED);
    free(binary.image);
}
END_TEST

START_TEST(a_longer_file_is_refused)
{
    unsigned char image[IMAGE_SIZE + 1] = {0};
    sqa_binary binary;
    read_image(image);
    write_image(image, IMAGE_SIZE + 1);
    ck_assert_int_eq(read_entry(&binary), SQA_FILE_REFUSED);
}
END_TEST

START_TEST(a_flipped_bit_is_refused)
{
    unsigned char image[IMAGE_SIZE];
    const unsigned char *found;
    size_t size;
    read_image(image);
    ck_assert_ptr_null(sqa_binary_check(image, IMAGE_SIZE, key, KEY_SIZE, &found, &size));
    for (size_t bit = 0; bit < 8 * IMAGE_SIZE; bit++) {
        image[bit / 8] ^= (unsigned char)(1u << bit % 8);
        ck_assert_msg(sqa_binary_check(image, IMAGE_SIZE, key, KEY_SIZE, &found, &size) != NULL,
                      "bit %zu of byte %zu does not matter", bit % 8, bit / 8);
        image[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
}
END_TEST

/* Sound files, hash and all, that are not what was asked for. */
START_TEST(another_key_is_refused)
{
    static const char *const others[] = {"7:options\n6:sourcf\n", "7:options\n6:source",
                                         "7:options\n6:source\n\n", ""};
    sqa_binary binary;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ck_assert_int_eq(sqa_binary_write(folder, "entry", others[i], strlen(others[i]), payload,
                                          sizeof payload),
                         0);
        ck_assert_int_eq(read_entry(&binary), SQA_FILE_REFUSED);
        ck_assert_str_eq(binary.why, "of another program");
    }
    ck_assert_int_eq(sqa_binary_write(folder, "entry", key, KEY_SIZE, payload, 0), 0);
    ck_assert_int_eq(read_entry(&binary), SQA_FILE_REFUSED);
    ck_assert_str_eq(binary.why, "empty");
}
END_TEST

/* Lengths that would wrap around when added up. */
START_TEST(absurd_lengths_are_refused)
{
    static const uint64_t lengths[][2] = {{UINT64_MAX, sizeof payload},
                                          {KEY_SIZE, UINT64_MAX},
                                          {UINT64_MAX, UINT64_MAX},
                                          {0, KEY_SIZE},
                                          {KEY_SIZE + 1, KEY_SIZE},
                                          {UINT64_MAX - 1, 28},
                                          {1, UINT64_MAX},
                                          {(uint64_t)1 << 63, 1u << 31}};
    unsigned char image[IMAGE_SIZE];
    const unsigned char *found;
    size_t size;
    read_image(image);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memcpy(image + 16, lengths[i], sizeof lengths[i]);
        const sqa_hash hash = sqa_hash_of(image, IMAGE_SIZE - sizeof hash);
        memcpy(image + IMAGE_SIZE - sizeof hash, &hash, sizeof hash);
        ck_assert_ptr_nonnull(
            (const void *)sqa_binary_check(image, IMAGE_SIZE, key, KEY_SIZE, &found, &size));
    }
}
END_TEST

START_TEST(only_plain_files_of_ones_own_are_read)
{
    sqa_binary binary;
    ck_assert_int_eq(chmod(path, 0666), 0);
    ck_assert_int_eq(read_entry(&binary), SQA_FILE_REFUSED);
    if (geteuid() == 0) {
        ck_assert_int_eq(chmod(path, 0600), 0);
        ck_assert_int_eq(chown(path, 1, 1), 0);
        ck_assert_int_eq(read_entry(&binary), SQA_FILE_REFUSED);
    }
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("/dev/zero", path), 0);
    ck_assert_int_eq(read_entry(&binary), SQA_FILE_REFUSED);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(read_entry(&binary), SQA_FILE_REFUSED);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(read_entry(&binary), SQA_FILE_REFUSED);
    ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(a_failed_write_leaves_nothing)
{
    char nowhere[128];
    sqa_binary binary;
    snprintf(nowhere, sizeof nowhere, "%s/none", folder);
    ck_assert_int_eq(sqa_binary_write(nowhere, "entry", key, KEY_SIZE, payload, 1), ENOENT);
    /* The name is a folder's: the temporary file is written, but cannot be renamed. */
    ck_assert_int_eq(mkdir(nowhere, 0700), 0);
    ck_assert_int_ne(sqa_binary_write(folder, "none", key, KEY_SIZE, payload, 1), 0);
    ck_assert_int_eq(rmdir(nowhere), 0);
    ck_assert_int_eq(read_entry(&binary), SQA_FILE_LOADED);
    free(binary.image);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("binary_file");
    TCase *tests = tcase_create("binary_file");
    tcase_add_checked_fixture(tests, make_folder, remove_folder);
    tcase_add_test(tests, what_was_written_is_read);
    tcase_add_test(tests, nothing_there_is_no_fault);
    tcase_add_test(tests, a_cut_file_is_refused);
    tcase_add_test(tests, a_longer_file_is_refused);
    tcase_add_test(tests, a_flipped_bit_is_refused);
    tcase_add_test(tests, another_key_is_refused);
    tcase_add_test(tests, absurd_lengths_are_refused);
    tcase_add_test(tests, only_plain_files_of_ones_own_are_read);
    tcase_add_test(tests, a_failed_write_leaves_nothing);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
