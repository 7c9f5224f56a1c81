/* What the fuzz targets share. A target reads bytes from anyone with one reader of the
 * program and checks what must hold whatever they are; it is run by driver.c, or by
 * libFuzzer where the build has it. */
#ifndef SQA_TESTS_FUZZ_H
#define SQA_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The target; always 0. Keeps nothing that a later input would notice. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Also where NDEBUG takes assert() away. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The input as a text that ends at its first zero, for the caller to free; of its own
 * size, so that a step beyond it is noticed. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = strndup(size ? (const char *)data : "", size);
    FUZZ_CHECK(text);
    return text;
}

#endif
