/* Loads the databases just as a context does and keeps what it had to say. */
#include "cli/database_state.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tuning/tuning_table.h"

/* The log callback: the first message is the reason. */
static void keep_message(void *user, sqa_log_level level, const char *message)
{
    sqa_database_state *state = user;
    (void)level;
    if (!state->message[0])
        snprintf(state->message, sizeof state->message, "%s", message);
}

static void finish(sqa_database_state *out, sqa_tuning_table *table)
{
    out->results = table->count;
    out->state = out->message[0] ? "left aside" : "in use";
    sqa_tuning_table_free(table);
}

sqa_status sqa_user_database_state(const char *path, sqa_database_state *out)
{
    struct stat info;
    sqa_tuning_table table = SQA_TUNING_TABLE_INIT;
    const sqa_log log = {keep_message, out, SQA_LOG_WARNING};
    *out = (sqa_database_state){.state = "missing"};
    if (path)
        snprintf(out->path, sizeof out->path, "%s", path);
    else if (!sqa_user_database_path(out->path, sizeof out->path))
        out->path[0] = '\0';
    if (!out->path[0] || (stat(out->path, &info) != 0 && errno == ENOENT))
        return SQA_OK;
    sqa_status status = sqa_tuning_table_load_file(&table, out->path, NULL, &log);
    finish(out, &table);
    return status;
}

sqa_status sqa_seed_database_state(sqa_database_state *out)
{
    sqa_tuning_table table = SQA_TUNING_TABLE_INIT;
    const sqa_log log = {keep_message, out, SQA_LOG_WARNING};
    *out = (sqa_database_state){0};
    sqa_status status = sqa_tuning_table_load_seed(&table, NULL, &log);
    finish(out, &table);
    return status;
}
