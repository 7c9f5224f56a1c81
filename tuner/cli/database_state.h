/* Which tuning databases a context would use, and in what state they are. */
#ifndef SQA_TUNER_DATABASE_STATE_H
#define SQA_TUNER_DATABASE_STATE_H

#include <stddef.h>

#include "sqa_cl/status.h"
#include "text/command_files.h"

typedef struct sqa_database_state {
    const char *role;  /* "user", "extra" or "seed" */
    char path[4096];   /* "" for the one built in, or when there is no place for one */
    const char *state; /* "in use", "missing", "no place" or "left aside" */
    size_t results;    /* best configurations it holds */
    char message[512]; /* why it is left aside, or has no place */
} sqa_database_state;

typedef struct sqa_database_states {
    sqa_database_state *items; /* in the order in which they are asked */
    size_t count;
} sqa_database_states;

/* Of the user's (`path`, unless NULL), the extra ones and the one built in. A database that
 * cannot be read is no error here. Free it also after a failure.
 * Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_database_states_read(const char *path, sqa_database_states *out);
void sqa_database_states_free(sqa_database_states *states);

/* The database that is read: the one that --db names, or the user's own, whose path goes
 * to `buffer`; none when `given` is empty. */
sqa_command_file sqa_database_file(const char *given, char buffer[4096]);

/* sqa_command_files_check() of a command that reads databases: the extra ones are among its
 * files, too. */
sqa_status sqa_database_files_check(const sqa_command_file *files, size_t count);

#endif
