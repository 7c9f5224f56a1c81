#include "device/prebuilt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sqa_prebuilt {
    char *folder;
    sqa_log log;
    sqa_manifest manifest;
};

bool sqa_prebuilt_folder_path(const char *chosen, char *out, size_t size)
{
    const char *folder = chosen ? chosen : getenv("SQA_CL_PREBUILT");
    int length = folder ? snprintf(out, size, "%s", folder) : 0;
    bool found = length > 0 && (size_t)length < size;
    if (!found)
        out[0] = '\0';
    return found;
}

/* A file of the folder, in a buffer of its own size. */
static sqa_file_state read_file(const char *folder, const char *name, size_t limit, sqa_file *out)
{
    sqa_text path = SQA_TEXT_INIT;
    sqa_text_format(&path, "%s/%s", folder, name);
    *out = (sqa_file){.why = "too large for the memory left"};
    sqa_file_state state =
        path.failed ? SQA_FILE_UNREADABLE : sqa_file_read(path.data, SQA_FILE_SHARED, limit, out);
    sqa_text_free(&path);
    return state;
}

static sqa_status read_manifest(sqa_prebuilt *prebuilt)
{
    sqa_file file;
    const char *const why = read_file(prebuilt->folder, SQA_PREBUILT_MANIFEST,
                                      SQA_PREBUILT_MANIFEST_BYTES, &file) == SQA_FILE_ABSENT
                                ? "is not there; `sqa capture` makes it"
                                : file.why;
    if (!file.bytes) {
        sqa_log_write(&prebuilt->log, SQA_LOG_WARNING, "pre-built programs: %s/%s: %s",
                      prebuilt->folder, SQA_PREBUILT_MANIFEST, why);
        return SQA_OK;
    }
    sqa_manifest *manifest = &prebuilt->manifest;
    sqa_status status = sqa_manifest_parse(manifest, (const char *)file.bytes, file.size);
    free(file.bytes);
    if (status == SQA_OK && manifest->refused)
        sqa_log_write(&prebuilt->log, SQA_LOG_WARNING,
                      "pre-built programs: %s/%s: %zu lines left aside, the first is line %zu: %s",
                      prebuilt->folder, SQA_PREBUILT_MANIFEST, manifest->refused,
                      manifest->refused_line, manifest->why);
    return status;
}

sqa_status sqa_prebuilt_open(sqa_prebuilt **out, const char *folder, const sqa_log *log)
{
    *out = NULL;
    if (!folder[0])
        return SQA_OK;
    sqa_prebuilt *prebuilt = calloc(1, sizeof *prebuilt);
    if (!prebuilt || !(prebuilt->folder = strdup(folder))) {
        free(prebuilt);
        return sqa_fail_memory("the pre-built programs");
    }
    prebuilt->log = *log;
    sqa_status status = read_manifest(prebuilt);
    if (status == SQA_OK)
        *out = prebuilt;
    else
        sqa_prebuilt_close(prebuilt);
    return status;
}

void sqa_prebuilt_close(sqa_prebuilt *prebuilt)
{
    if (!prebuilt)
        return;
    sqa_manifest_free(&prebuilt->manifest);
    free(prebuilt->folder);
    free(prebuilt);
}

const char *sqa_prebuilt_folder(const sqa_prebuilt *prebuilt)
{
    return prebuilt ? prebuilt->folder : "";
}

const sqa_manifest *sqa_prebuilt_manifest(const sqa_prebuilt *prebuilt)
{
    static const sqa_manifest none = SQA_MANIFEST_INIT;
    return prebuilt ? &prebuilt->manifest : &none;
}

bool sqa_prebuilt_has(const sqa_prebuilt *prebuilt, const char *key)
{
    const sqa_manifest_entry *entry = sqa_manifest_find(sqa_prebuilt_manifest(prebuilt), key);
    return entry && entry->binary;
}

void sqa_prebuilt_complain(const sqa_prebuilt *prebuilt, const char *key, const char *why)
{
    sqa_log_write(&prebuilt->log, SQA_LOG_WARNING, "pre-built program %s of %s: %s", key,
                  prebuilt->folder, why);
}

/* NULL: it is what the manifest says. */
static const char *check(const sqa_manifest_entry *entry, const sqa_file *file)
{
    char hash[SQA_HASH_TEXT];
    if (file->size != entry->binary_bytes)
        return "not as long as the manifest says";
    const sqa_hash found = sqa_hash_of(file->bytes, file->size);
    sqa_hash_format(&found, hash);
    return strcmp(hash, entry->binary_hash) ? "damaged: it has not the manifest's hash" : NULL;
}

const char *sqa_prebuilt_read(const char *folder, const sqa_manifest_entry *entry, sqa_file *out)
{
    *out = (sqa_file){0};
    if (!entry->binary)
        return "not built yet";
    sqa_file_state state = read_file(folder, entry->binary, SQA_PREBUILT_BINARY_BYTES, out);
    if (state != SQA_FILE_LOADED)
        return state == SQA_FILE_ABSENT ? "not there" : out->why;
    const char *why = check(entry, out);
    if (why) {
        free(out->bytes);
        out->bytes = NULL;
    }
    return why;
}

bool sqa_prebuilt_load(const sqa_prebuilt *prebuilt, const char *key, sqa_file *out, sqa_text *why)
{
    const sqa_manifest_entry *entry = sqa_manifest_find(sqa_prebuilt_manifest(prebuilt), key);
    if (!prebuilt)
        sqa_text_append(why, "has no folder to be looked for in ($SQA_CL_PREBUILT)");
    else if (!entry)
        sqa_text_format(why, "is not in %s/%s", prebuilt->folder, SQA_PREBUILT_MANIFEST);
    else if (!entry->binary)
        sqa_text_format(why, "has no binary yet in %s", prebuilt->folder);
    if (!entry || !entry->binary)
        return false;
    const char *wrong = sqa_prebuilt_read(prebuilt->folder, entry, out);
    if (!wrong)
        return true;
    sqa_prebuilt_complain(prebuilt, key, wrong);
    sqa_text_format(why, "cannot be used: %s/%s: %s", prebuilt->folder, entry->binary, wrong);
    return false;
}
