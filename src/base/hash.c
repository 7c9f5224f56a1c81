#include "base/hash.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

sqa_hash sqa_hash_of(const void *bytes, size_t size)
{
    XXH128_canonical_t canonical;
    sqa_hash hash;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, size));
    memcpy(hash.bytes, canonical.digest, sizeof hash.bytes);
    return hash;
}

uint64_t sqa_hash_short(const void *bytes, size_t size)
{
    return XXH3_64bits(bytes, size);
}

void sqa_hash_format(const sqa_hash *hash, char out[SQA_HASH_TEXT])
{
    for (size_t i = 0; i < SQA_HASH_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", hash->bytes[i]);
}

void sqa_hash_of_text(const char *text, char out[SQA_HASH_TEXT])
{
    sqa_hash hash = sqa_hash_of(text, strlen(text));
    sqa_hash_format(&hash, out);
}
