#include "tuning/database_paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Joins base and tail; false when base is unset, empty or the path does not fit. */
static bool path_below(const char *base, const char *tail, char *out, size_t size)
{
    if (!base || !base[0])
        return false;
    int length = snprintf(out, size, "%s%s", base, tail);
    return length > 0 && (size_t)length < size;
}

bool sqa_user_database_path(char *out, size_t size)
{
    const char *xdg = getenv("XDG_DATA_HOME");
    if (xdg && xdg[0] != '/') /* a relative one is to be ignored, says its specification */
        xdg = NULL;
    return path_below(getenv("SQA_CL_DB"), "", out, size) ||
           path_below(xdg, "/sqa_cl/tuning.db", out, size) ||
           path_below(getenv("HOME"), "/.local/share/sqa_cl/tuning.db", out, size);
}

static sqa_status append(sqa_database_paths *out, const char *path, size_t length)
{
    if (length == 0)
        return SQA_OK;
    char **paths = realloc(out->paths, (out->count + 1) * sizeof *paths);
    if (!paths)
        return sqa_fail_memory("the paths of databases");
    out->paths = paths;
    paths[out->count] = strndup(path, length);
    return paths[out->count++] ? SQA_OK : sqa_fail_memory("the path of a database");
}

sqa_status sqa_extra_database_paths(const char *const *chosen, sqa_database_paths *out)
{
    sqa_status status = SQA_OK;
    *out = (sqa_database_paths)SQA_DATABASE_PATHS_INIT;
    for (; chosen && *chosen && status == SQA_OK; chosen++)
        status = append(out, *chosen, strlen(*chosen));
    const char *named = chosen ? NULL : getenv("SQA_CL_EXTRA_DBS");
    for (size_t length; named && status == SQA_OK;
         named = named[length] ? named + length + 1 : NULL) {
        length = strcspn(named, ":");
        status = append(out, named, length);
    }
    return status;
}

void sqa_database_paths_free(sqa_database_paths *paths)
{
    for (size_t i = 0; i < paths->count; i++)
        free(paths->paths[i]);
    free(paths->paths);
    *paths = (sqa_database_paths)SQA_DATABASE_PATHS_INIT;
}
