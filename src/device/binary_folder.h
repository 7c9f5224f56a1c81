/* The folder of the binary cache: where it is, what is in it, and keeping it within
 * bounds. Knows files by name, size and age, not what is in them. */
#ifndef SQA_DEVICE_BINARY_FOLDER_H
#define SQA_DEVICE_BINARY_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file's name is the hash of its key and this. */
#define SQA_BINARY_SUFFIX ".bin"

/* Where it is: `chosen`, unless NULL; $SQA_CL_CACHE; $XDG_CACHE_HOME/sqa_cl;
 * $HOME/.cache/sqa_cl. false: nowhere, because it is switched off ("", and "off" in
 * the environment) or none of these is set; out is then "". */
bool sqa_binary_folder_path(const char *chosen, char *out, size_t size);

/* Makes the folder and those above it, for this user only. 0, or an errno. */
int sqa_binary_folder_make(const char *folder);

typedef struct sqa_binary_usage {
    size_t entries;
    uint64_t bytes;
} sqa_binary_usage;

/* 0, or an errno; a folder that is not there yet is an empty one. */
int sqa_binary_folder_usage(const char *folder, sqa_binary_usage *out);

/* Removes the least recently used files until at most `limit` bytes are left, and
 * what writers that were killed have left behind. Other files are left alone. */
void sqa_binary_folder_trim(const char *folder, uint64_t limit);

#endif
