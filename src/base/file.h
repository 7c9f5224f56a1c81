/* Whole files: read at once, with care for whose they are, and written whole or not
 * at all. Knows nothing of what is in them. */
#ifndef SQA_BASE_FILE_H
#define SQA_BASE_FILE_H

#include <stddef.h>

typedef enum sqa_file_state {
    SQA_FILE_LOADED,
    SQA_FILE_ABSENT,
    SQA_FILE_REFUSED,   /* there, but not what it should be */
    SQA_FILE_UNREADABLE /* the file or its folder cannot be read, or memory ran out */
} sqa_file_state;

typedef enum sqa_file_owner {
    SQA_FILE_OWN,   /* made by this user, or by root, for nobody else to write */
    SQA_FILE_SHARED /* somebody's whom the user trusts; not for everybody to write */
} sqa_file_owner;

typedef struct sqa_file {
    unsigned char *bytes; /* the caller frees them; NULL unless LOADED */
    size_t size;
    const char *why; /* unless LOADED or ABSENT: a phrase, in static storage */
} sqa_file;

/* Reads a plain file of at most `limit` bytes; links, pipes and files that others
 * than `owner` says may write are refused. */
sqa_file_state sqa_file_read(const char *path, sqa_file_owner owner, size_t limit, sqa_file *out);

/* Writes a file whole or not at all, by a draft beside it; others may read a SHARED one.
 * 0, or an errno. */
int sqa_file_write(const char *folder, const char *name, sqa_file_owner owner, const void *bytes,
                   size_t size);

#endif
