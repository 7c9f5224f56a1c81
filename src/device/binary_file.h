/* One file of the binary cache: a compiled program under the key it was compiled
 * for, proof against truncation, flipped bits and hash collisions. Some OpenCL
 * runtimes crash on a damaged binary, so nothing is handed out before the whole
 * file was checked. Knows nothing of OpenCL or of where files lie.
 *
 *   magic, format version, byte order, key length, payload length   32 bytes
 *   key, payload
 *   hash of all of the above                                        16 bytes */
#ifndef SQA_DEVICE_BINARY_FILE_H
#define SQA_DEVICE_BINARY_FILE_H

#include <stdint.h>

#include "base/file.h"
#include "base/hash.h"

#define SQA_BINARY_HEADER_BYTES 32
#define SQA_BINARY_FRAME_BYTES (SQA_BINARY_HEADER_BYTES + SQA_HASH_BYTES)

typedef struct sqa_binary {
    unsigned char *image; /* the whole file; the caller frees it */
    const unsigned char *payload;
    size_t size;     /* of the payload */
    const char *why; /* unless LOADED or ABSENT: a phrase, in static storage */
} sqa_binary;

/* Checks a file's image against a key. NULL: it is sound, and *payload points into
 * it; otherwise what is wrong. */
const char *sqa_binary_check(const unsigned char *image, size_t image_size, const char *key,
                             size_t key_size, const unsigned char **payload, size_t *size);

/* Reads and checks a file, and notes the use in its modification time. A file that
 * another user owns or may write is refused: what is in it will be executed. */
sqa_file_state sqa_binary_read(const char *path, const char *key, size_t key_size, sqa_binary *out);

/* As sqa_file_write(). */
int sqa_binary_write(const char *folder, const char *name, const char *key, size_t key_size,
                     const void *payload, size_t size);

#endif
