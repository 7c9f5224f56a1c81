/* Files of the binary cache. An input is the length of a key, the key, and a file's
 * image, which is checked as it is and with the hash that belongs to it: else every
 * check after that of the hash would go unseen. */
#include "device/binary_file.h"
#include "fuzz.h"

typedef struct image {
    const char *key;
    size_t key_size;
    unsigned char *bytes;
    size_t size;
} image;

static const char *check(const image *self, size_t size)
{
    const unsigned char *payload = NULL;
    size_t payload_size = 0;
    const char *why =
        sqa_binary_check(self->bytes, size, self->key, self->key_size, &payload, &payload_size);
    if (!why) {
        FUZZ_CHECK(payload_size > 0 &&
                   payload == self->bytes + SQA_BINARY_HEADER_BYTES + self->key_size);
        FUZZ_CHECK(payload + payload_size + SQA_HASH_BYTES == self->bytes + size);
    }
    return why;
}

static void mend_hash(image *self)
{
    const sqa_hash hash = sqa_hash_of(self->bytes, self->size - SQA_HASH_BYTES);
    memcpy(self->bytes + self->size - SQA_HASH_BYTES, hash.bytes, SQA_HASH_BYTES);
}

/* A sound image is no longer sound with a byte less, or another byte. */
static void check_damage(image *self)
{
    FUZZ_CHECK(check(self, self->size - 1));
    unsigned char *byte = &self->bytes[self->key_size * 7 % self->size];
    *byte ^= 1;
    FUZZ_CHECK(check(self, self->size));
    *byte ^= 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size - 1 < data[0])
        return 0;
    image self = {.key = (const char *)data + 1, .key_size = data[0]};
    self.size = size - 1 - self.key_size;
    self.bytes = malloc(self.size ? self.size : 1);
    FUZZ_CHECK(self.bytes);
    memcpy(self.bytes, data + 1 + self.key_size, self.size);
    if (!check(&self, self.size))
        check_damage(&self);
    if (self.size >= SQA_BINARY_FRAME_BYTES) {
        mend_hash(&self);
        if (!check(&self, self.size))
            check_damage(&self);
    }
    free(self.bytes);
    return 0;
}
