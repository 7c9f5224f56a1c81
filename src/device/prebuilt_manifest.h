/* The list of pre-built programs: which file holds the program of which key, and what
 * it is a program of. Text in, text out; knows neither OpenCL nor the folder.
 *
 * Tab-separated, not JSON: the library has no reader of JSON, and a line that is split
 * at tabs leaves little to get wrong. The first line names the columns, and so the
 * format; "-" stands for a binary that was not built yet.
 *
 *   key  operation  family  space_version  config  shape  options  source
 *   binary  binary_bytes  binary_hash
 *
 * The reader is strict and takes nothing on trust: a file is a plain name, a number a
 * number, a key is there once. A line that fails is left out; the others still hold. */
#ifndef SQA_DEVICE_PREBUILT_MANIFEST_H
#define SQA_DEVICE_PREBUILT_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "base/text.h"

#define SQA_MANIFEST_LONGEST_LINE 4096

typedef struct sqa_manifest_entry {
    const char *key; /* sqa_prebuilt_key() */
    const char *operation, *family;
    uint32_t space_version;
    const char *config;
    const char *shape;   /* for people: one that it was captured for */
    const char *options; /* to build it with */
    const char *source;
    const char *binary; /* NULL: not built yet */
    uint64_t binary_bytes;
    const char *binary_hash; /* as sqa_hash_format() writes it; NULL without a binary */
    char *line;              /* what the texts point into, where the manifest keeps it */
} sqa_manifest_entry;

typedef struct sqa_manifest {
    sqa_manifest_entry *entries; /* in the order of the file */
    size_t count;
    size_t refused;      /* lines left out */
    size_t refused_line; /* the first of them, */
    const char *why;     /* and what is wrong with it; in static storage */
} sqa_manifest;

#define SQA_MANIFEST_INIT                                                                          \
    {                                                                                              \
        0, 0, 0, 0, 0                                                                              \
    }

/* Reads a manifest's text, which may hold anything. Free it also after a failure.
 * Errors: SQA_OUT_OF_MEMORY only. */
sqa_status sqa_manifest_parse(sqa_manifest *out, const char *text, size_t size);
void sqa_manifest_free(sqa_manifest *manifest);

/* The whole text, for sqa_manifest_parse(). */
void sqa_manifest_format(const sqa_manifest *manifest, sqa_text *out);

/* NULL: none. */
const sqa_manifest_entry *sqa_manifest_find(const sqa_manifest *manifest, const char *key);

/* Adds an entry, or puts it in the place of the one with its key. The texts are copied
 * and may be those of an entry of the manifest.
 * Errors: SQA_INVALID_ARGUMENT for what could not be read back, SQA_OUT_OF_MEMORY. */
sqa_status sqa_manifest_put(sqa_manifest *manifest, const sqa_manifest_entry *entry);

#endif
