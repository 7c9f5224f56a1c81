/* One hash for everything that is named or checked by its content, by xxHash
 * (XXH3, 128 bits). Not for secrets: collisions can be made on purpose. */
#ifndef SQA_BASE_HASH_H
#define SQA_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define SQA_HASH_BYTES 16
#define SQA_HASH_TEXT (2 * SQA_HASH_BYTES + 1)

typedef struct sqa_hash {
    unsigned char bytes[SQA_HASH_BYTES]; /* the same on every machine */
} sqa_hash;

sqa_hash sqa_hash_of(const void *bytes, size_t size);

/* 64 bits, for tables in memory. */
uint64_t sqa_hash_short(const void *bytes, size_t size);

/* 32 lower-case hexadecimal digits and the zero. */
void sqa_hash_format(const sqa_hash *hash, char out[SQA_HASH_TEXT]);

/* Both at once, of a text without its zero. */
void sqa_hash_of_text(const char *text, char out[SQA_HASH_TEXT]);

#endif
