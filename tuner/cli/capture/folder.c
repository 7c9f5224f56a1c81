/* See folder.h. */
#include "cli/capture/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "device/binary_folder.h"
#include "device/prebuilt.h"
#include "kernels/prebuilt_program.h"
#include "kernels/source.h"
#include "operations/operations.h"

/* The library reads plain files only: what else has the name is left as it is. */
static sqa_status write_file(const sqa_capture_folder *folder, const char *name, const void *bytes,
                             size_t size)
{
    char path[4096];
    struct stat found;
    int length = snprintf(path, sizeof path, "%s/%s", folder->path, name);
    if (length > 0 && (size_t)length < sizeof path && lstat(path, &found) == 0 &&
        !S_ISREG(found.st_mode))
        return sqa_fail(SQA_DATABASE_ERROR, "--out: %s: not a plain file", path);
    int failure = sqa_file_write(folder->path, name, SQA_FILE_SHARED, bytes, size);
    return failure ? sqa_fail(SQA_DATABASE_ERROR, "--out: %s/%s cannot be written: %s",
                              folder->path, name, strerror(failure))
                   : SQA_OK;
}

static sqa_status put(sqa_capture_folder *folder, const sqa_manifest_entry *entry)
{
    sqa_text text = SQA_TEXT_INIT;
    sqa_status status = sqa_manifest_put(&folder->manifest, entry);
    sqa_manifest_format(&folder->manifest, &text);
    if (status == SQA_OK)
        status = sqa_text_status(&text);
    if (status == SQA_OK)
        status = write_file(folder, SQA_PREBUILT_MANIFEST, text.data, text.length);
    sqa_text_free(&text);
    return status;
}

static sqa_status read_manifest(sqa_capture_folder *folder)
{
    char path[4096];
    sqa_file file;
    int length = snprintf(path, sizeof path, "%s/%s", folder->path, SQA_PREBUILT_MANIFEST);
    if (length < 0 || (size_t)length >= sizeof path)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--out takes a shorter name");
    sqa_file_state state = sqa_file_read(path, SQA_FILE_SHARED, SQA_PREBUILT_MANIFEST_BYTES, &file);
    if (state == SQA_FILE_ABSENT)
        return SQA_OK;
    if (state != SQA_FILE_LOADED)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--out: %s: %s", path, file.why);
    sqa_manifest *manifest = &folder->manifest;
    sqa_status status = sqa_manifest_parse(manifest, (const char *)file.bytes, file.size);
    free(file.bytes);
    if (status == SQA_OK && manifest->refused)
        status = sqa_fail(SQA_INVALID_ARGUMENT,
                          "--out: %s, line %zu: %s; repair it, or begin another folder", path,
                          manifest->refused_line, manifest->why);
    return status;
}

sqa_status sqa_capture_open(sqa_capture_folder *out, const char *path)
{
    *out = (sqa_capture_folder){.path = path, .manifest = SQA_MANIFEST_INIT};
    int failure = sqa_binary_folder_make(path);
    if (failure)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--out: %s: %s", path, strerror(failure));
    return read_manifest(out);
}

void sqa_capture_close(sqa_capture_folder *folder)
{
    sqa_manifest_free(&folder->manifest);
}

sqa_status sqa_capture_source(sqa_capture_folder *folder, const sqa_kernel_family *family,
                              const sqa_config *config, const sqa_problem *problem,
                              const char *shape, const sqa_device *device, char key[SQA_HASH_TEXT])
{
    sqa_status status = sqa_program_key(key, family, config, problem, device);
    if (status != SQA_OK || sqa_manifest_find(&folder->manifest, key))
        return status;
    sqa_text source = SQA_TEXT_INIT;
    char name[SQA_HASH_TEXT + sizeof ".cl"], text[SQA_CONFIG_TEXT];
    char options[SQA_OPTIONS_TEXT];
    sqa_config_format(family, config, text);
    sqa_family_options(family, config, problem, device, options);
    snprintf(name, sizeof name, "%s.cl", key);
    const sqa_manifest_entry entry = {.key = key,
                                      .operation = sqa_operation_name(family->operation),
                                      .family = family->name,
                                      .space_version = family->space_version,
                                      .config = text,
                                      .shape = shape,
                                      .options = options,
                                      .source = name};
    sqa_family_source(family, config, problem, device, &source);
    status = sqa_text_status(&source);
    if (status == SQA_OK)
        status = write_file(folder, name, source.data, source.length);
    if (status == SQA_OK)
        status = put(folder, &entry);
    folder->added += status == SQA_OK;
    sqa_text_free(&source);
    return status;
}

bool sqa_capture_has_binary(const sqa_capture_folder *folder, const char *key)
{
    const sqa_manifest_entry *entry = sqa_manifest_find(&folder->manifest, key);
    sqa_file file;
    if (!entry || sqa_prebuilt_read(folder->path, entry, &file))
        return false;
    free(file.bytes);
    return true;
}

static sqa_status fail_key(const sqa_capture_folder *folder, const char *key)
{
    sqa_text known = SQA_TEXT_INIT;
    for (size_t i = 0; i < folder->manifest.count; i++)
        sqa_text_format(&known, "%s%s", i ? ", " : "", folder->manifest.entries[i].key);
    sqa_fail(SQA_INVALID_ARGUMENT, "--add: '%.40s' is no key of %s, which has %s", key,
             folder->path, folder->manifest.count ? sqa_text_get(&known) : "none yet");
    sqa_text_free(&known);
    return SQA_INVALID_ARGUMENT;
}

sqa_status sqa_capture_binary(sqa_capture_folder *folder, const char *key, const void *bytes,
                              size_t size)
{
    const sqa_manifest_entry *found = sqa_manifest_find(&folder->manifest, key);
    if (!found)
        return fail_key(folder, key);
    char name[SQA_HASH_TEXT + sizeof SQA_BINARY_SUFFIX], hash[SQA_HASH_TEXT];
    snprintf(name, sizeof name, "%s" SQA_BINARY_SUFFIX, found->key);
    const sqa_hash sum = sqa_hash_of(bytes, size);
    sqa_hash_format(&sum, hash);
    sqa_manifest_entry entry = *found;
    entry.binary = name;
    entry.binary_bytes = size;
    entry.binary_hash = hash;
    sqa_status status = write_file(folder, name, bytes, size);
    if (status == SQA_OK)
        status = put(folder, &entry);
    folder->built += status == SQA_OK;
    return status;
}
