#include "device/binary_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

sqa_file_state sqa_binary_read(const char *path, const char *key, size_t key_size, sqa_binary *out)
{
    sqa_file file;
    memset(out, 0, sizeof *out);
    sqa_file_state state = sqa_file_read(path, SQA_FILE_OWN, SIZE_MAX, &file);
    out->why = file.why;
    if (state != SQA_FILE_LOADED)
        return state;
    out->why = sqa_binary_check(file.bytes, file.size, key, key_size, &out->payload, &out->size);
    if (out->why) {
        free(file.bytes);
        return SQA_FILE_REFUSED;
    }
    out->image = file.bytes;
    /* Failing costs it its rank among the recently used, no more. */
    (void)utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
    return SQA_FILE_LOADED;
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
    assert(next + sizeof hash.bytes == image + *image_size);
    return image;
}

int sqa_binary_write(const char *folder, const char *name, const char *key, size_t key_size,
                     const void *payload, size_t size)
{
    size_t image_size = 0;
    unsigned char *image = make_image(key, key_size, payload, size, &image_size);
    if (!image)
        return ENOMEM;
    int failure = sqa_file_write(folder, name, SQA_FILE_OWN, image, image_size);
    free(image);
    return failure;
}
