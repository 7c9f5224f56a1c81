/* Where the tuning databases of a context are, from its options and the environment. Opens
 * none of them. */
#ifndef SQA_TUNING_DATABASE_PATHS_H
#define SQA_TUNING_DATABASE_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* Where the per-user database lives: $SQA_CL_DB, else $XDG_DATA_HOME/sqa_cl/tuning.db,
 * else $HOME/.local/share/sqa_cl/tuning.db; an $XDG_DATA_HOME that is relative is
 * ignored. false when none of them is set or the path does not fit. */
bool sqa_user_database_path(char *out, size_t size);

/* Paths of databases beside the user's own, the first to be asked first. */
typedef struct sqa_database_paths {
    char **paths;
    size_t count;
} sqa_database_paths;

#define SQA_DATABASE_PATHS_INIT                                                                    \
    {                                                                                              \
        0, 0                                                                                       \
    }

/* Those of `chosen`, which a NULL ends; where it is NULL, those of $SQA_CL_EXTRA_DBS, with
 * ':' between them. Empty paths are passed over. Errors: SQA_OUT_OF_MEMORY. */
sqa_status sqa_extra_database_paths(const char *const *chosen, sqa_database_paths *out);
void sqa_database_paths_free(sqa_database_paths *paths);

#endif
