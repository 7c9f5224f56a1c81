#include "device/prebuilt_manifest.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

static const char header[] =
    "key\toperation\tfamily\tspace_version\tconfig\tshape\toptions\tsource\t"
    "binary\tbinary_bytes\tbinary_hash";

enum {
    KEY,
    OPERATION,
    FAMILY,
    SPACE_VERSION,
    CONFIG,
    SHAPE,
    OPTIONS,
    SOURCE,
    BINARY,
    BINARY_BYTES,
    BINARY_HASH,
    FIELD_COUNT
};

static bool is_text(const char *field)
{
    for (; *field; field++)
        if (*field < ' ' || *field > '~')
            return false;
    return true;
}

static bool is_hash(const char *field)
{
    return strlen(field) == SQA_HASH_TEXT - 1 &&
           strspn(field, "0123456789abcdef") == SQA_HASH_TEXT - 1;
}

/* The name of a file in the folder itself, which no other folder can be meant by. */
static bool is_file_name(const char *field)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-";
    enum { LONGEST = 128 };
    size_t length = strlen(field);
    return length > 0 && length <= LONGEST && strspn(field, allowed) == length && field[0] != '.';
}

/* Decimal, in the one way to write it. */
static bool read_number(const char *field, uint64_t most, uint64_t *out)
{
    *out = 0;
    if (field[0] < '1' || field[0] > '9')
        return false;
    for (; *field; field++) {
        if (*field < '0' || *field > '9')
            return false;
        const uint64_t digit = (uint64_t)(*field - '0');
        if (*out > (most - digit) / 10)
            return false;
        *out = *out * 10 + digit;
    }
    return true;
}

/* Cuts the line at its tabs. */
static bool split(char *line, const char *fields[FIELD_COUNT])
{
    size_t count = 0;
    for (char *at = line; at && count <= FIELD_COUNT; count++) {
        char *tab = strchr(at, '\t');
        if (count < FIELD_COUNT)
            fields[count] = at;
        if (tab)
            *tab++ = '\0';
        at = tab;
    }
    return count == FIELD_COUNT;
}

static const char *read_binary(const char *const fields[FIELD_COUNT], sqa_manifest_entry *out)
{
    bool none = true;
    for (int i = BINARY; i < FIELD_COUNT; i++)
        none = none && !strcmp(fields[i], "-");
    if (none)
        return NULL;
    if (!is_file_name(fields[BINARY]))
        return "the binary is no plain file name";
    if (!read_number(fields[BINARY_BYTES], UINT64_MAX, &out->binary_bytes))
        return "the binary's size is no number";
    if (!is_hash(fields[BINARY_HASH]))
        return "the binary's hash is none";
    out->binary = fields[BINARY];
    out->binary_hash = fields[BINARY_HASH];
    return NULL;
}

/* Makes an entry of a line, which it cuts and points into. NULL: done; otherwise what
 * is wrong. */
static const char *read_line(char *line, sqa_manifest_entry *out)
{
    const char *fields[FIELD_COUNT];
    uint64_t version = 0;
    memset(out, 0, sizeof *out);
    if (!split(line, fields))
        return "not as many columns as there should be";
    for (int i = 0; i < FIELD_COUNT; i++)
        if (!is_text(fields[i]))
            return "neither tabs nor printable ASCII";
    if (!is_hash(fields[KEY]))
        return "the key is none";
    if (!fields[OPERATION][0] || !fields[FAMILY][0])
        return "no operation or family";
    if (!read_number(fields[SPACE_VERSION], UINT32_MAX, &version))
        return "the space's version is no number";
    if (!is_file_name(fields[SOURCE]))
        return "the source is no plain file name";
    out->line = line;
    out->key = fields[KEY];
    out->operation = fields[OPERATION];
    out->family = fields[FAMILY];
    out->space_version = (uint32_t)version;
    out->config = fields[CONFIG];
    out->shape = fields[SHAPE];
    out->options = fields[OPTIONS];
    out->source = fields[SOURCE];
    return read_binary(fields, out);
}

static void write_entry(const sqa_manifest_entry *entry, sqa_text *out)
{
    sqa_text_format(out, "%s\t%s\t%s\t%u\t%s\t%s\t%s\t%s\t", entry->key, entry->operation,
                    entry->family, entry->space_version, entry->config, entry->shape,
                    entry->options, entry->source);
    if (entry->binary)
        sqa_text_format(out, "%s\t%llu\t%s", entry->binary, (unsigned long long)entry->binary_bytes,
                        entry->binary_hash);
    else
        sqa_text_append(out, "-\t-\t-");
}

static sqa_manifest_entry *find(const sqa_manifest *manifest, const char *key)
{
    for (size_t i = 0; i < manifest->count; i++)
        if (!strcmp(manifest->entries[i].key, key))
            return &manifest->entries[i];
    return NULL;
}

const sqa_manifest_entry *sqa_manifest_find(const sqa_manifest *manifest, const char *key)
{
    return find(manifest, key);
}

/* Takes the entry's line over, also when it fails. */
static sqa_status append(sqa_manifest *manifest, const sqa_manifest_entry *entry)
{
    assert(!find(manifest, entry->key));
    sqa_manifest_entry *grown =
        realloc(manifest->entries, (manifest->count + 1) * sizeof *manifest->entries);
    if (!grown) {
        free(entry->line);
        return sqa_fail_memory("the manifest");
    }
    manifest->entries = grown;
    manifest->entries[manifest->count++] = *entry;
    return SQA_OK;
}

static void refuse(sqa_manifest *manifest, size_t number, const char *why)
{
    if (!manifest->refused++) {
        manifest->refused_line = number;
        manifest->why = why;
    }
}

static sqa_status take_line(sqa_manifest *out, const char *text, size_t length, size_t number)
{
    sqa_manifest_entry entry;
    if (length > SQA_MANIFEST_LONGEST_LINE || memchr(text, '\0', length)) {
        refuse(out, number, "too long, or zeros in it");
        return SQA_OK;
    }
    char *line = strndup(text, length);
    if (!line)
        return sqa_fail_memory("the manifest");
    const char *why = read_line(line, &entry);
    if (!why && find(out, entry.key))
        why = "its key is that of a line before";
    if (!why)
        return append(out, &entry);
    refuse(out, number, why);
    free(line);
    return SQA_OK;
}

sqa_status sqa_manifest_parse(sqa_manifest *out, const char *text, size_t size)
{
    *out = (sqa_manifest)SQA_MANIFEST_INIT;
    sqa_status status = SQA_OK;
    for (size_t number = 1; size > 0 && status == SQA_OK; number++) {
        const char *end = memchr(text, '\n', size);
        const size_t length = end ? (size_t)(end - text) : size;
        if (number > 1) {
            status = take_line(out, text, length, number);
        } else if (length != sizeof header - 1 || memcmp(text, header, length) != 0) {
            refuse(out, number, "not the columns of a manifest that this version reads");
            return SQA_OK;
        }
        text += length + (end != NULL);
        size -= length + (end != NULL);
    }
    return status;
}

void sqa_manifest_free(sqa_manifest *manifest)
{
    for (size_t i = 0; i < manifest->count; i++)
        free(manifest->entries[i].line);
    free(manifest->entries);
    *manifest = (sqa_manifest)SQA_MANIFEST_INIT;
}

void sqa_manifest_format(const sqa_manifest *manifest, sqa_text *out)
{
    sqa_text_format(out, "%s\n", header);
    for (size_t i = 0; i < manifest->count; i++) {
        write_entry(&manifest->entries[i], out);
        sqa_text_append(out, "\n");
    }
}

sqa_status sqa_manifest_put(sqa_manifest *manifest, const sqa_manifest_entry *entry)
{
    sqa_text text = SQA_TEXT_INIT;
    sqa_manifest_entry made;
    write_entry(entry, &text);
    if (text.failed) {
        sqa_text_free(&text);
        return sqa_fail_memory("the manifest");
    }
    const char *why = text.length > SQA_MANIFEST_LONGEST_LINE ? "too long" : NULL;
    if (!why)
        why = read_line(text.data, &made);
    if (why) {
        sqa_text_free(&text);
        return sqa_fail(SQA_INVALID_ARGUMENT, "the manifest takes no such entry: %s", why);
    }
    sqa_manifest_entry *old = find(manifest, made.key);
    if (!old)
        return append(manifest, &made);
    char *line = old->line; /* the caller's texts may be in it */
    *old = made;
    free(line);
    return SQA_OK;
}
