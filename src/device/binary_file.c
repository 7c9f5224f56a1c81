#include "device/binary_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct header {
    char magic[8];
    uint32_t version;
    uint32_t byte_order; /* reads differently on a machine of the other order */
    uint64_t key_size;
    uint64_t payload_size;
} header;

_Static_assert(sizeof(header) == SQA_BINARY_HEADER_BYTES, "a header has no padding");

static const char magic[8] = {'s', 'q', 'a', '_', 'c', 'l', '\r', '\n'};
enum { FORMAT_VERSION = 1, BYTE_ORDER_MARK = 0x01020304 };

static header make_header(size_t key_size, size_t payload_size)
{
    header made = {.version = FORMAT_VERSION,
                   .byte_order = BYTE_ORDER_MARK,
                   .key_size = key_size,
                   .payload_size = payload_size};
    memcpy(made.magic, magic, sizeof magic);
    return made;
}

const char *sqa_binary_check(const unsigned char *image, size_t image_size, const char *key,
                             size_t key_size, const unsigned char **payload, size_t *size)
{
    header found;
    if (image_size < SQA_BINARY_FRAME_BYTES)
        return "too short";
    memcpy(&found, image, sizeof found);
    if (memcmp(found.magic, magic, sizeof magic) != 0)
        return "not a file of this cache";
    if (found.version != FORMAT_VERSION || found.byte_order != BYTE_ORDER_MARK)
        return "of another format";
    const size_t content = image_size - SQA_BINARY_FRAME_BYTES;
    if (found.key_size > content || found.payload_size != content - found.key_size)
        return "not as long as it says";
    const sqa_hash hash = sqa_hash_of(image, image_size - sizeof hash);
    if (memcmp(hash.bytes, image + image_size - sizeof hash, sizeof hash) != 0)
        return "damaged";
    if (found.key_size != key_size || memcmp(image + sizeof found, key, key_size) != 0)
        return "of another program";
    if (found.payload_size == 0)
        return "empty";
    *payload = image + sizeof found + key_size;
    *size = (size_t)found.payload_size;
    return NULL;
}

static bool read_fully(int file, unsigned char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t got = read(file, bytes, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        size -= (size_t)got;
    }
    return true;
}

static const char *refuse_file(const struct stat *info)
{
    if (!S_ISREG(info->st_mode))
        return "not a plain file";
    if ((info->st_uid != geteuid() && info->st_uid != 0) || (info->st_mode & (S_IWGRP | S_IWOTH)))
        return "another user's to write";
    return NULL;
}

static sqa_binary_state read_open_file(int file, const char *key, size_t key_size, sqa_binary *out)
{
    struct stat info;
    if (fstat(file, &info) != 0) {
        out->why = "cannot be examined";
        return SQA_BINARY_UNREADABLE;
    }
    out->why = refuse_file(&info);
    if (out->why)
        return SQA_BINARY_REFUSED;
    const size_t size = (size_t)info.st_size;
    unsigned char *image = malloc(size ? size : 1);
    if (!image || !read_fully(file, image, size)) {
        out->why = image ? "cannot be read" : "too large for the memory left";
        free(image);
        return SQA_BINARY_UNREADABLE;
    }
    out->why = sqa_binary_check(image, size, key, key_size, &out->payload, &out->size);
    if (out->why) {
        free(image);
        return SQA_BINARY_REFUSED;
    }
    out->image = image;
    futimens(file, NULL); /* failing costs it its rank among the recently used, no more */
    return SQA_BINARY_LOADED;
}

sqa_binary_state sqa_binary_read(const char *path, const char *key, size_t key_size,
                                 sqa_binary *out)
{
    memset(out, 0, sizeof *out);
    /* O_NONBLOCK: a pipe put in its place must not hang us. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) {
        if (errno == ENOENT)
            return SQA_BINARY_ABSENT;
        out->why = errno == ELOOP ? "a link" : "cannot be opened";
        return errno == ELOOP ? SQA_BINARY_REFUSED : SQA_BINARY_UNREADABLE;
    }
    sqa_binary_state state = read_open_file(file, key, key_size, out);
    close(file);
    return state;
}

static int write_fully(int file, const void *bytes, size_t size)
{
    const char *next = bytes;
    while (size > 0) {
        ssize_t put = write(file, next, size);
        if (put < 0 && errno != EINTR)
            return errno;
        if (put > 0) {
            next += put;
            size -= (size_t)put;
        }
    }
    return 0;
}

/* The file's image: written at once, hashed at once. */
static unsigned char *make_image(const char *key, size_t key_size, const void *payload, size_t size,
                                 size_t *image_size)
{
    if (size > SIZE_MAX - SQA_BINARY_FRAME_BYTES - key_size)
        return NULL;
    *image_size = SQA_BINARY_FRAME_BYTES + key_size + size;
    unsigned char *image = malloc(*image_size);
    if (!image)
        return NULL;
    const header head = make_header(key_size, size);
    unsigned char *next = image;
    memcpy(next, &head, sizeof head);
    memcpy(next += sizeof head, key, key_size);
    memcpy(next += key_size, payload, size);
    next += size;
    const sqa_hash hash = sqa_hash_of(image, (size_t)(next - image));
    memcpy(next, hash.bytes, sizeof hash.bytes);
    return image;
}

static int write_and_rename(int file, const char *temporary, const char *path,
                            const unsigned char *image, size_t size)
{
    int failure = write_fully(file, image, size);
    if (!failure && fsync(file) != 0)
        failure = errno;
    if (close(file) != 0 && !failure)
        failure = errno;
    if (!failure && rename(temporary, path) != 0)
        failure = errno;
    if (failure)
        unlink(temporary);
    return failure;
}

int sqa_binary_write(const char *folder, const char *name, const char *key, size_t key_size,
                     const void *payload, size_t size)
{
    char temporary[4096], path[4096];
    int long_temporary =
        snprintf(temporary, sizeof temporary, "%s/" SQA_BINARY_TEMPORARY "XXXXXX", folder);
    int long_path = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (long_temporary < 0 || (size_t)long_temporary >= sizeof temporary || long_path < 0 ||
        (size_t)long_path >= sizeof path)
        return ENAMETOOLONG;
    size_t image_size = 0;
    unsigned char *image = make_image(key, key_size, payload, size, &image_size);
    if (!image)
        return ENOMEM;
    int file = mkstemp(temporary);
    int failure = file < 0 ? errno : write_and_rename(file, temporary, path, image, image_size);
    free(image);
    return failure;
}
