/* The folder of pre-built programs, for devices without an OpenCL compiler: binaries
 * that a vendor's tool made of the sources `sqa capture` wrote, by the manifest beside
 * them. Read once, when it is opened; safe for several threads. Nothing that is wrong
 * with it fails a computation that can do without: the log hears of it. */
#ifndef SQA_DEVICE_PREBUILT_H
#define SQA_DEVICE_PREBUILT_H

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "device/prebuilt_manifest.h"

#define SQA_PREBUILT_MANIFEST "manifest.tsv"
#define SQA_PREBUILT_MANIFEST_BYTES ((size_t)16 << 20) /* no manifest is nearly as large */
#define SQA_PREBUILT_BINARY_BYTES ((size_t)1 << 30) /* a bitstream may be hundreds of megabytes */

typedef struct sqa_prebuilt sqa_prebuilt;

/* Which folder: `chosen`, unless NULL; $SQA_CL_PREBUILT. false: none; out is then "". */
bool sqa_prebuilt_folder_path(const char *chosen, char *out, size_t size);

/* Reads the manifest of a folder. Whoever may write to it may run code as this user:
 * files that everybody may write are refused. *out is NULL when `folder` is "".
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_prebuilt_open(sqa_prebuilt **out, const char *folder, const sqa_log *log);
void sqa_prebuilt_close(sqa_prebuilt *prebuilt);

/* "" and an empty manifest for NULL. */
const char *sqa_prebuilt_folder(const sqa_prebuilt *prebuilt);
const sqa_manifest *sqa_prebuilt_manifest(const sqa_prebuilt *prebuilt);

/* Whether there is a binary for the key, as far as the manifest knows. NULL: none. */
bool sqa_prebuilt_has(const sqa_prebuilt *prebuilt, const char *key);

/* Reads an entry's binary. One that is not what the manifest says, by size and hash, is
 * not handed out, since some runtimes crash on it. The caller frees out->bytes. NULL:
 * done; otherwise what is wrong. */
const char *sqa_prebuilt_read(const char *folder, const sqa_manifest_entry *entry, sqa_file *out);

/* The same by its key; the log hears of one that is there but of no use. false: *why gets
 * a phrase that goes on after the key. */
bool sqa_prebuilt_load(const sqa_prebuilt *prebuilt, const char *key, sqa_file *out, sqa_text *why);

/* A warning: the key's binary is there, but of no use. */
void sqa_prebuilt_complain(const sqa_prebuilt *prebuilt, const char *key, const char *why);

#endif
