#include "cli/db/sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "tuning/database_paths.h"
#include "tuning/tuning_table.h"

/* Takes the store over, also when there is no room for it. */
static sqa_status add(sqa_db_sources *out, const char *name, sqa_store *store)
{
    sqa_db_source *items = realloc(out->items, (out->count + 1) * sizeof *items);
    if (!items) {
        sqa_store_close(store);
        return sqa_fail_memory("the databases");
    }
    out->items = items;
    sqa_db_source *source = &items[out->count];
    snprintf(source->name, sizeof source->name, "%s", name);
    source->store = store;
    sqa_text_format(&out->text, "%s%s", out->count ? ", " : "", sqa_store_path(store));
    out->count++;
    return sqa_text_status(&out->text);
}

static sqa_status add_file(sqa_db_sources *out, const char *name, const char *path)
{
    sqa_store *store = NULL;
    sqa_status status = sqa_store_open_read_only(&store, path);
    return status == SQA_OK ? add(out, name, store) : status;
}

static sqa_status add_seed(sqa_db_sources *out)
{
    sqa_store *store = NULL;
    sqa_status status = sqa_store_open_seed(&store);
    return status == SQA_OK ? add(out, sqa_tuning_source_name(SQA_SOURCE_SEED), store) : status;
}

/* `needed`: nothing else is shown. */
static sqa_status add_user(sqa_db_sources *out, bool needed)
{
    const sqa_db_choice own = {.path = NULL};
    char buffer[SQA_DB_PATH_SIZE];
    const char *path;
    struct stat file;
    sqa_status status = sqa_db_locate(&own, buffer, &path);
    if (!needed && (status != SQA_OK || (stat(path, &file) && errno == ENOENT)))
        return SQA_OK;
    return status == SQA_OK ? add_file(out, sqa_tuning_source_name(SQA_SOURCE_USER), path) : status;
}

static sqa_status add_extras(sqa_db_sources *out)
{
    sqa_database_paths extras;
    sqa_status status = sqa_extra_database_paths(NULL, &extras);
    for (size_t i = 0; i < extras.count && status == SQA_OK; i++) {
        char name[sizeof out->items->name];
        struct stat file;
        snprintf(name, sizeof name, "%s-%zu", sqa_tuning_source_name(SQA_SOURCE_EXTRA), i + 1);
        status = stat(extras.paths[i], &file)
                     ? sqa_fail(SQA_DATABASE_ERROR, "$SQA_CL_EXTRA_DBS: %s: %s", extras.paths[i],
                                strerror(errno))
                     : add_file(out, name, extras.paths[i]);
    }
    sqa_database_paths_free(&extras);
    return status;
}

static sqa_status add_all(sqa_db_sources *out)
{
    sqa_status status = add_user(out, false);
    if (status == SQA_OK)
        status = add_extras(out);
    return status == SQA_OK ? add_seed(out) : status;
}

sqa_status sqa_db_sources_open(sqa_db_sources *out, const sqa_db_choice *choice)
{
    *out = (sqa_db_sources)SQA_DB_SOURCES_INIT;
    return choice->seed   ? add_seed(out)
           : choice->user ? add_user(out, true)
           : choice->path ? add_file(out, "file", choice->path)
                          : add_all(out);
}

void sqa_db_sources_close(sqa_db_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        sqa_store_close(sources->items[i].store);
    free(sources->items);
    sqa_text_free(&sources->text);
    *sources = (sqa_db_sources)SQA_DB_SOURCES_INIT;
}

/* What the library has an answer for in an earlier source: devices and drivers with the
 * classes of their problems, as hashes. */
typedef struct answered {
    sqa_hash *questions;
    size_t count, capacity;
} answered;

static sqa_hash question_of(const sqa_stored_trial *trial)
{
    const sqa_device_identity *identity = &trial->device.identity;
    char text[sizeof *identity + sizeof trial->device.strings.driver_version +
              sizeof trial->operation + sizeof trial->class_key];
    const int length =
        snprintf(text, sizeof text, "%s\n%s\n%s\n%s\n%s\n%s\n%s", identity->vendor,
                 identity->architecture, identity->model, identity->runtime,
                 trial->device.strings.driver_version, trial->operation, trial->class_key);
    return sqa_hash_of(text, (size_t)length);
}

static bool is_answered(const answered *by, const sqa_stored_trial *trial)
{
    const sqa_hash question = question_of(trial);
    for (size_t i = 0; i < by->count; i++)
        if (!memcmp(&by->questions[i], &question, sizeof question))
            return true;
    return false;
}

static sqa_status note_answer(void *user, const sqa_stored_trial *trial)
{
    answered *by = user;
    if (!trial)
        return SQA_OK;
    if (by->count == by->capacity) {
        const size_t larger = by->capacity ? 2 * by->capacity : 64;
        sqa_hash *questions = realloc(by->questions, larger * sizeof *questions);
        if (!questions)
            return sqa_fail_memory("what the databases answer");
        by->questions = questions;
        by->capacity = larger;
    }
    by->questions[by->count++] = question_of(trial);
    return SQA_OK;
}

/* One source on its way to the visitor. */
typedef struct passage {
    const sqa_db_source *source;
    const answered *before; /* NULL: everything passes */
    sqa_store_visit visit;
    void *user;
} passage;

static sqa_status pass_on(void *user, const sqa_stored_trial *trial)
{
    const passage *by = user;
    if (!trial)
        return by->visit(by->user, NULL);
    if (by->before && is_answered(by->before, trial))
        return SQA_OK;
    sqa_stored_trial known = *trial;
    memcpy(known.source, by->source->name, sizeof known.source);
    return by->visit(by->user, &known);
}

sqa_status sqa_db_sources_each(const sqa_db_sources *sources, const sqa_store_filter *filter,
                               sqa_store_visit visit, void *user)
{
    const sqa_store_filter every_best = {.best_only = true};
    answered before = {NULL, 0, 0};
    sqa_status status = SQA_OK;
    for (size_t i = 0; i < sources->count && status == SQA_OK; i++) {
        sqa_store *store = sources->items[i].store;
        passage by = {&sources->items[i], filter->best_only ? &before : NULL, visit, user};
        status = sqa_store_each(store, filter, pass_on, &by);
        /* All of them: what the filter leaves out is in use all the same. */
        if (status == SQA_OK && filter->best_only && i + 1 < sources->count)
            status = sqa_store_each(store, &every_best, note_answer, &before);
    }
    free(before.questions);
    return status;
}

sqa_status sqa_db_sources_list(const sqa_db_sources *sources, const sqa_store_filter *filter,
                               sqa_trial_list *list)
{
    sqa_status status = sqa_db_sources_each(sources, filter, sqa_trial_list_append, list);
    if (status == SQA_OK && filter->ranking && sources->count > 1)
        status = sqa_trial_list_rank(list);
    return status;
}

void sqa_db_sources_write_json(const sqa_db_sources *sources, sqa_json *json)
{
    sqa_json_string(json, "database", sqa_text_get(&sources->text));
    sqa_json_array(json, "databases");
    for (size_t i = 0; i < sources->count; i++) {
        sqa_json_object(json, NULL);
        sqa_json_string(json, "source", sources->items[i].name);
        sqa_json_string(json, "path", sqa_store_path(sources->items[i].store));
        sqa_json_close(json);
    }
    sqa_json_close(json);
}
