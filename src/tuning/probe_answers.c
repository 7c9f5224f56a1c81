#include "tuning/probe_answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "operations/operations.h"
#include "sqa_cl/version.h"
#include "tuning/database_reader.h"
#include "tuning/schema.h"

/* A device may be there more than once, when a limit of it changed: the latest answer counts. */
static const char answers_sql[] =
    "SELECT operation, family, status, message FROM probe"
    " JOIN environment ON environment.id = probe.environment"
    " JOIN device ON device.id = environment.device"
    " WHERE vendor = ?1 AND architecture = ?2 AND model = ?3 AND runtime = ?4 AND type = ?5"
    " AND device_name = ?6 AND platform_version = ?7 AND device_version = ?8"
    " AND driver_version = ?9 AND library_version = ?10"
    " ORDER BY probe.recorded_at DESC";

static int bind_environment(sqlite3_stmt *statement, const sqa_device *device)
{
    const sqa_device_identity *is = &device->identity;
    const sqa_device_strings *says = &device->strings;
    const char *const texts[] = {is->vendor,
                                 is->architecture,
                                 is->model,
                                 is->runtime,
                                 sqa_device_type_name(says->type),
                                 says->device_name,
                                 says->platform_version,
                                 says->device_version,
                                 says->driver_version,
                                 sqa_version_string()};
    int code = SQLITE_OK;
    for (int i = 0; i < (int)(sizeof texts / sizeof *texts) && code == SQLITE_OK; i++)
        code = sqlite3_bind_text(statement, i + 1, texts[i], -1, SQLITE_STATIC);
    return code;
}

/* Other people's databases may hold anything. */
static void read_text(sqlite3_stmt *statement, int column, char *out, size_t size)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);
    sqa_utf8_clean(text ? text : "", out, size, true);
}

static sqa_status append(sqa_probe_answers *answers, sqlite3_stmt *statement)
{
    sqa_probe_answer *items = realloc(answers->items, (answers->count + 1) * sizeof *items);
    if (!items)
        return sqa_fail_memory("the answers of probes");
    answers->items = items;
    sqa_probe_answer *answer = &items[answers->count++];
    read_text(statement, 0, answer->operation, sizeof answer->operation);
    read_text(statement, 1, answer->family, sizeof answer->family);
    read_text(statement, 2, answer->status, sizeof answer->status);
    read_text(statement, 3, answer->message, sizeof answer->message);
    return SQA_OK;
}

sqa_status sqa_probe_answers_read(sqa_probe_answers *answers, sqlite3 *database, const char *name,
                                  const sqa_device *device)
{
    int version = 0;
    sqlite3_stmt *statement = NULL;
    sqa_status status = SQA_OK;
    if (!sqa_database_pragma(database, "PRAGMA user_version", &version))
        return sqa_database_fail(database, name, sqlite3_extended_errcode(database));
    if (version <= SQA_SCHEMA_LAST_UNPROBED)
        return SQA_OK;
    int code = sqlite3_prepare_v2(database, answers_sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = bind_environment(statement, device);
    while (code == SQLITE_OK && status == SQA_OK && sqlite3_step(statement) == SQLITE_ROW)
        status = append(answers, statement);
    if (code == SQLITE_OK)
        code = sqlite3_finalize(statement);
    else
        sqlite3_finalize(statement);
    return status == SQA_OK && code != SQLITE_OK ? sqa_database_fail(database, name, code) : status;
}

void sqa_probe_answers_free(sqa_probe_answers *answers)
{
    free(answers->items);
    *answers = (sqa_probe_answers)SQA_PROBE_ANSWERS_INIT;
}

static const sqa_probe_answer *find(const sqa_probe_answers *answers,
                                    const sqa_kernel_family *family)
{
    const char *operation = sqa_operation_name(family->operation);
    for (size_t i = 0; i < answers->count; i++)
        if (!strcmp(answers->items[i].operation, operation) &&
            !strcmp(answers->items[i].family, family->name))
            return &answers->items[i];
    return NULL;
}

bool sqa_probe_allows(const sqa_probe_answers *answers, const sqa_kernel_family *family,
                      char why[SQA_PROBE_WHY])
{
    if (!family->probes)
        return true;
    const sqa_probe_answer *answer = answers ? find(answers, family) : NULL;
    if (!answers)
        snprintf(why, SQA_PROBE_WHY, "no database is asked what its probe found");
    else if (!answer)
        snprintf(why, SQA_PROBE_WHY,
                 "not probed with this driver, which `sqa tune --probe` does in seconds");
    else if (strcmp(answer->status, "ok") != 0)
        snprintf(why, SQA_PROBE_WHY, "its probe with this driver: %s, %s", answer->status,
                 answer->message);
    return answer && !strcmp(answer->status, "ok");
}
