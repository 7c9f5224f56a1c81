/* Loads the databases just as a context does and keeps what it had to say. */
#include "cli/database_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static sqa_status read_user(const char *path, sqa_database_state *out)
{
    struct stat info;
    char buffer[sizeof out->path];
    sqa_tuning_table table = SQA_TUNING_TABLE_INIT;
    const sqa_log log = {keep_message, out, SQA_LOG_WARNING};
    const sqa_command_file file = sqa_database_file(path, buffer);
    *out = (sqa_database_state){.role = "user", .state = "missing"};
    snprintf(out->path, sizeof out->path, "%s", file.path ? file.path : "");
    if (!out->path[0]) {
        out->state = "no place";
        keep_message(out, SQA_LOG_WARNING, "set SQA_CL_DB or HOME, or say --db FILE");
        return SQA_OK;
    }
    if (stat(out->path, &info) != 0 && errno == ENOENT)
        return SQA_OK;
    sqa_status status = sqa_tuning_table_load_file(&table, out->path, NULL, &log);
    finish(out, &table);
    return status;
}

static sqa_status read_extra(const char *path, sqa_database_state *out)
{
    sqa_tuning_table table = SQA_TUNING_TABLE_INIT;
    const sqa_log log = {keep_message, out, SQA_LOG_WARNING};
    *out = (sqa_database_state){.role = "extra"};
    snprintf(out->path, sizeof out->path, "%s", path);
    sqa_status status = sqa_tuning_table_load_extra(&table, path, NULL, &log);
    finish(out, &table);
    return status;
}

static sqa_status read_seed(sqa_database_state *out)
{
    sqa_tuning_table table = SQA_TUNING_TABLE_INIT;
    const sqa_log log = {keep_message, out, SQA_LOG_WARNING};
    *out = (sqa_database_state){.role = "seed"};
    sqa_status status = sqa_tuning_table_load_seed(&table, NULL, &log);
    finish(out, &table);
    return status;
}

sqa_status sqa_database_states_read(const char *path, sqa_database_states *out)
{
    sqa_database_paths extras;
    *out = (sqa_database_states){NULL, 0};
    sqa_status status = sqa_extra_database_paths(NULL, &extras);
    if (status == SQA_OK) {
        out->items = calloc(extras.count + 2, sizeof *out->items);
        status = out->items ? read_user(path, &out->items[out->count++])
                            : sqa_fail_memory("the state of the databases");
    }
    for (size_t i = 0; i < extras.count && status == SQA_OK; i++)
        status = read_extra(extras.paths[i], &out->items[out->count++]);
    if (status == SQA_OK)
        status = read_seed(&out->items[out->count++]);
    sqa_database_paths_free(&extras);
    return status;
}

void sqa_database_states_free(sqa_database_states *states)
{
    free(states->items);
    *states = (sqa_database_states){NULL, 0};
}

sqa_command_file sqa_database_file(const char *given, char buffer[4096])
{
    sqa_command_file file = {"--db", given, SQA_FILE_READ};
    if (!given && sqa_user_database_path(buffer, 4096))
        file.path = buffer;
    return file;
}

sqa_status sqa_database_files_check(const sqa_command_file *files, size_t count)
{
    sqa_database_paths extras;
    sqa_status status = sqa_extra_database_paths(NULL, &extras);
    sqa_command_file *all = calloc(count + extras.count, sizeof *all);
    if (status == SQA_OK && !all)
        status = sqa_fail_memory("the files of a command");
    if (status == SQA_OK) {
        memcpy(all, files, count * sizeof *all);
        for (size_t i = 0; i < extras.count; i++)
            all[count + i] =
                (sqa_command_file){"$SQA_CL_EXTRA_DBS", extras.paths[i], SQA_FILE_READ};
        status = sqa_command_files_check(all, count + extras.count);
    }
    free(all);
    sqa_database_paths_free(&extras);
    return status;
}
