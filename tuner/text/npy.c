/* Reads .npy files: magic, header, then exactly the bytes the header promises.
 * Nothing is allocated before the file's size agreed with its header. */
#include "text/npy.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/status.h"
#include "problem/storage.h"

static const unsigned char magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

/* Longer headers are possible in version 2, but no tensor needs one. */
enum { MAX_HEADER = 65536 };

/* Bytes, in a file or in memory. */
enum { LARGEST_ELEMENT = 8 };

typedef struct npy_file {
    FILE *stream;
    const char *path;
    uint64_t size;
} npy_file;

static sqa_status refuse(const npy_file *file, const char *what)
{
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %s", file->path, what);
}

static sqa_status open_file(npy_file *file, const char *path)
{
    struct stat info;
    *file = (npy_file){.path = path};
    if (stat(path, &info) != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %s; expected a .npy file", path,
                        strerror(errno));
    if (!S_ISREG(info.st_mode))
        return refuse(file, "not a regular file; expected a .npy file");
    file->stream = fopen(path, "rb");
    if (!file->stream)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %s; expected a readable .npy file", path,
                        strerror(errno));
    file->size = (uint64_t)info.st_size;
    return SQA_OK;
}

/* Reads the fixed part: magic, version, and the header's length. */
static sqa_status read_preamble(npy_file *file, uint32_t *header_length, uint64_t *header_start)
{
    unsigned char bytes[12] = {0};
    if (fread(bytes, 1, 10, file->stream) != 10 || memcmp(bytes, magic, sizeof magic) != 0)
        return refuse(file, "not a .npy file; expected one written by numpy.save");
    unsigned major = bytes[6], width = major == 1 ? 2 : 4;
    if (major < 1 || major > 3)
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s: .npy format version %u; expected 1 or 2",
                        file->path, major);
    if (width == 4 && fread(bytes + 10, 1, 2, file->stream) != 2)
        return refuse(file, "ends inside its header; expected a whole .npy file");
    *header_length = 0;
    for (unsigned i = 0; i < width; i++)
        *header_length |= (uint32_t)bytes[8 + i] << (8 * i);
    *header_start = 8 + width;
    return SQA_OK;
}

static sqa_status read_header(npy_file *file, sqa_npy_header *out, uint64_t *data_start)
{
    uint32_t length = 0;
    uint64_t start = 0;
    sqa_status status = read_preamble(file, &length, &start);
    if (status)
        return status;
    if (length > file->size - start)
        return refuse(file, "ends inside its header; expected a whole .npy file");
    if (length > MAX_HEADER)
        return refuse(file, "its header is longer than 65536 bytes");
    char *text = malloc(length ? length : 1);
    if (!text)
        return sqa_fail_memory("a .npy header");
    bool complete = fread(text, 1, length, file->stream) == length;
    const char *why = complete ? sqa_npy_header_parse(text, length, out)
                               : "ends inside its header; expected a whole .npy file";
    free(text);
    *data_start = start + length;
    return why ? refuse(file, why) : SQA_OK;
}

/* The types that can be read. */
typedef struct npy_type {
    const char *descr;
    sqa_npy_kind kind;
    sqa_element element;
    size_t size; /* in the file */
} npy_type;

static const npy_type types[] = {
    {"<f4", SQA_NPY_FLOATS, SQA_ELEMENT_F32, 4},   {"<f2", SQA_NPY_FLOATS, SQA_ELEMENT_F16, 2},
    {"<f8", SQA_NPY_FLOATS, SQA_ELEMENT_F32, 8},   {"|b1", SQA_NPY_BYTES, SQA_ELEMENT_BYTE, 1},
    {"|u1", SQA_NPY_BYTES, SQA_ELEMENT_BYTE, 1},   {"<i4", SQA_NPY_INTEGERS, SQA_ELEMENT_INT, 4},
    {"<i8", SQA_NPY_INTEGERS, SQA_ELEMENT_INT, 8},
};

static const char *const expected_types[] = {
    [SQA_NPY_FLOATS] = "little-endian '<f4' (float32), '<f2' (float16) or '<f8' (float64)",
    [SQA_NPY_BYTES] = "'|b1' (bool) or '|u1' (uint8)",
    [SQA_NPY_INTEGERS] = "little-endian '<i4' (int32) or '<i8' (int64)",
};

/* Whether C and Fortran order are one: no two dimensions have more than one element. */
static bool has_one_order(const sqa_npy_header *header)
{
    uint32_t long_ones = 0;
    for (uint32_t i = 0; i < header->rank; i++)
        long_ones += header->shape[i] > 1;
    return long_ones <= 1;
}

static sqa_status check_type(const npy_file *file, const sqa_npy_header *header, sqa_npy_kind kind,
                             const npy_type **out)
{
    if (header->fortran_order && !has_one_order(header))
        return refuse(file, "in Fortran order; expected C order (numpy.ascontiguousarray)");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].kind == kind && !strcmp(header->descr, types[i].descr)) {
            *out = &types[i];
            return SQA_OK;
        }
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: %s '%s'; expected %s", file->path,
                    header->descr[0] == '>' ? "big-endian" : "dtype", header->descr,
                    expected_types[kind]);
}

static void format_shape(const uint64_t *shape, uint32_t rank, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "(");
    for (uint32_t i = 0; i < rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%llu", i ? ", " : "",
                                 (unsigned long long)shape[i]);
    if (used < size)
        snprintf(text + used, size - used, rank == 1 ? ",)" : ")");
}

static sqa_status check_rank(const npy_file *file, const sqa_npy_header *header,
                             const sqa_npy_wish *wish)
{
    if (header->rank >= wish->least_rank && header->rank <= wish->most_rank)
        return SQA_OK;
    char shape[160], ranks[32];
    format_shape(header->shape, header->rank, shape, sizeof shape);
    if (wish->least_rank == wish->most_rank)
        snprintf(ranks, sizeof ranks, "%u", wish->most_rank);
    else
        snprintf(ranks, sizeof ranks, "%u to %u", wish->least_rank, wish->most_rank);
    return sqa_fail(SQA_INVALID_ARGUMENT, "%s: shape %s; expected %s dimension%s %s", file->path,
                    shape, ranks, wish->most_rank == 1 ? "" : "s", wish->dimensions);
}

/* The number of elements, which must be just what the file still holds. */
static sqa_status check_size(const npy_file *file, const sqa_npy_header *header, size_t element,
                             uint64_t data_start, size_t *count)
{
    uint64_t elements = 1;
    bool empty = false, fits = true;
    for (uint32_t i = 0; i < header->rank; i++) {
        uint64_t size = header->shape[i];
        empty = empty || size == 0;
        fits = fits && (size == 0 || elements <= SIZE_MAX / LARGEST_ELEMENT / size);
        elements *= fits && size ? size : 1;
    }
    if (empty) {
        elements = 0;
        fits = true;
    }
    uint64_t held = file->size - data_start;
    if (!fits || held != elements * element) {
        char shape[160];
        format_shape(header->shape, header->rank, shape, sizeof shape);
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "%s: %s; its header says %s of '%s', the file holds %llu bytes of data",
                        file->path, !fits || held < elements * element ? "truncated" : "too long",
                        shape, header->descr, (unsigned long long)held);
    }
    *count = (size_t)elements;
    return SQA_OK;
}

void sqa_npy_turn_bytes(void *elements, size_t count, size_t element)
{
    const uint16_t one = 1;
    unsigned char *bytes = elements;
    if (*(const unsigned char *)&one == 1)
        return;
    for (size_t start = 0; start < count * element; start += element)
        for (size_t i = 0; i < element / 2; i++) {
            unsigned char kept = bytes[start + i];
            bytes[start + i] = bytes[start + element - 1 - i];
            bytes[start + element - 1 - i] = kept;
        }
}

/* Numbers of the file, which may be wider, as 32 bits. */
static sqa_status narrow(const npy_file *file, const npy_type *type, const void *stored,
                         sqa_npy *out)
{
    if (type->size == sizeof *out->integers) {
        memcpy(out->integers, stored, out->count * type->size);
        return SQA_OK;
    }
    for (size_t i = 0; i < out->count; i++) {
        int64_t wide = ((const int64_t *)stored)[i];
        if (wide < INT32_MIN || wide > INT32_MAX)
            return sqa_fail(SQA_INVALID_ARGUMENT, "%s: number %zu is %lld; outside %d..%d",
                            file->path, i, (long long)wide, INT32_MIN, INT32_MAX);
        out->integers[i] = (int32_t)wide;
    }
    return SQA_OK;
}

/* Those of f64 as f32. A finite number that would become infinite is refused: a bias that
 * hides a key is not one that is very small. */
static sqa_status round_doubles(const npy_file *file, const double *stored, sqa_npy *out)
{
    out->rounded = true;
    for (size_t i = 0; i < out->count; i++) {
        if (isfinite(stored[i]) && fabs(stored[i]) > (double)FLT_MAX)
            return sqa_fail(SQA_INVALID_ARGUMENT,
                            "%s: number %zu is %g; beyond float32, which ends at %g", file->path, i,
                            stored[i], (double)FLT_MAX);
        out->data[i] = (float)stored[i];
    }
    return SQA_OK;
}

static sqa_status take_floats(const npy_file *file, const npy_type *type, const void *stored,
                              sqa_npy *out)
{
    if (type->size == sizeof(double))
        return round_doubles(file, stored, out);
    sqa_storage_decode((sqa_dtype)type->element, stored, out->data, out->count);
    return SQA_OK;
}

/* From the file's elements to those in memory. */
static sqa_status convert(const npy_file *file, const npy_type *type, void *stored, sqa_npy *out)
{
    sqa_npy_turn_bytes(stored, out->count, type->size);
    switch (type->kind) {
    case SQA_NPY_FLOATS: return take_floats(file, type, stored, out);
    case SQA_NPY_BYTES: memcpy(out->bytes, stored, out->count); return SQA_OK;
    case SQA_NPY_INTEGERS: return narrow(file, type, stored, out);
    }
    return SQA_OK;
}

static sqa_status read_data(const npy_file *file, const npy_type *type, sqa_npy *out)
{
    const size_t bytes = out->count * type->size;
    const size_t kept = type->kind == SQA_NPY_BYTES ? 1 : sizeof(float);
    void *stored = malloc(bytes ? bytes : 1);
    sqa_status status = SQA_OK;
    out->memory = malloc(out->count ? out->count * kept : 1);
    if (!stored || !out->memory)
        status = sqa_fail(SQA_OUT_OF_MEMORY, "%s: out of host memory for %zu elements", file->path,
                          out->count);
    else if (fread(stored, 1, bytes, file->stream) != bytes)
        status = refuse(file, "could not be read to its end");
    if (!status)
        status = convert(file, type, stored, out);
    free(stored);
    return status;
}

static sqa_status read_tensor(npy_file *file, const sqa_npy_wish *wish, sqa_npy *out)
{
    sqa_npy_header header;
    uint64_t data_start = 0;
    const npy_type *type = NULL;
    sqa_status status = read_header(file, &header, &data_start);
    if (!status)
        status = check_type(file, &header, wish->kind, &type);
    if (!status)
        status = check_rank(file, &header, wish);
    if (!status)
        status = check_size(file, &header, type->size, data_start, &out->count);
    if (status)
        return status;
    out->element = type->element;
    out->rank = header.rank;
    memcpy(out->shape, header.shape, sizeof out->shape);
    return read_data(file, type, out);
}

sqa_status sqa_npy_read(sqa_npy *out, const char *path, const sqa_npy_wish *wish)
{
    npy_file file;
    sqa_npy tensor = {0};
    sqa_status status = open_file(&file, path);
    if (status)
        return status;
    status = read_tensor(&file, wish, &tensor);
    fclose(file.stream);
    if (status)
        sqa_npy_free(&tensor);
    else
        *out = tensor;
    return status;
}

void sqa_npy_free(sqa_npy *tensor)
{
    free(tensor->memory);
    *tensor = (sqa_npy){0};
}

void sqa_npy_shape_text(const sqa_npy *tensor, char *text, size_t size)
{
    format_shape(tensor->shape, tensor->rank, text, size);
}
