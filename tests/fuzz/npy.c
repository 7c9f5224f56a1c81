/* .npy files and their headers: a header says what it said after it was written anew,
 * and an array is as large as its shape. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "text/npy.h"

static void write_header(const sqa_npy_header *header, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "{'shape': (");
    for (uint32_t i = 0; i < header->rank; i++)
        used += (size_t)snprintf(text + used, size - used, "%llu,",
                                 (unsigned long long)header->shape[i]);
    snprintf(text + used, size - used, "), 'fortran_order': %s, \"descr\": \"%s\"}  \n",
             header->fortran_order ? "True" : "False", header->descr);
}

static void check_header(const char *text, size_t size)
{
    sqa_npy_header header, again;
    char written[SQA_NPY_MAX_RANK * 24 + 128];
    if (sqa_npy_header_parse(text, size, &header))
        return;
    FUZZ_CHECK(header.rank <= SQA_NPY_MAX_RANK);
    if (strchr(header.descr, '"'))
        return;
    write_header(&header, written, sizeof written);
    FUZZ_CHECK(!sqa_npy_header_parse(written, strlen(written), &again));
    FUZZ_CHECK(!memcmp(&header, &again, sizeof header));
}

static void check_file(const char *path, sqa_npy_kind kind, size_t file_size)
{
    static const sqa_npy_wish kinds[] = {
        [SQA_NPY_FLOATS] = {SQA_NPY_FLOATS, 0, SQA_NPY_MAX_RANK, "at all"},
        [SQA_NPY_BYTES] = {SQA_NPY_BYTES, 1, 4, "(B, Nk)"},
        [SQA_NPY_INTEGERS] = {SQA_NPY_INTEGERS, 1, 1, "(N,)"},
    };
    sqa_npy array;
    if (sqa_npy_read(&array, path, &kinds[kind]) != SQA_OK)
        return;
    size_t count = 1;
    for (uint32_t i = 0; i < array.rank; i++)
        count *= (size_t)array.shape[i];
    FUZZ_CHECK(array.count == count && count < file_size);
    FUZZ_CHECK(array.rank >= kinds[kind].least_rank && array.rank <= kinds[kind].most_rank);
    sqa_npy_free(&array);
}

static int open_unnamed(void)
{
    char name[64];
    snprintf(name, sizeof name, "/fuzz_npy_%ld", (long)getpid());
    int file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
    FUZZ_CHECK(file >= 0 && shm_unlink(name) == 0);
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1; /* in memory and without a name, for one input after the other */
    char path[32];
    check_header((const char *)data, size);
    if (file < 0)
        file = open_unnamed();
    FUZZ_CHECK(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
    snprintf(path, sizeof path, "/dev/fd/%d", file);
    for (int kind = SQA_NPY_FLOATS; kind <= SQA_NPY_INTEGERS; kind++)
        check_file(path, (sqa_npy_kind)kind, size);
    return 0;
}
