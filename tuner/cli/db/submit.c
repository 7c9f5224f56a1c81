/* `sqa db export --submit`: the rows that somebody contributes. Knows what must not
 * leave the machine: its name, its user's, and where things lie on it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/db/subcommand.h"
#include "cli/device_option.h"
#include "cli/untuned.h"
#include "store/columns.h"
#include "store/exchange.h"

/* Lower case, digits, '-' and '.': the identity mostly is that already. */
static void name_file(const sqa_device_identity *identity, char name[SQA_DB_SUBMIT_NAME])
{
    snprintf(name, SQA_DB_SUBMIT_NAME, "%s-%s-%s-%s.jsonl", identity->vendor,
             identity->architecture, identity->model, identity->runtime);
    for (char *at = name; *at; at++)
        if (!isalnum((unsigned char)*at) && *at != '.')
            *at = '-';
}

sqa_status sqa_db_submit_prepare(sqa_store_filter *filter, sqa_device *here,
                                 char name[SQA_DB_SUBMIT_NAME])
{
    unsigned platform = 0, index = 0;
    cl_device_id id = NULL;
    filter->best_only = false;
    filter->winners_only = true;
    snprintf(name, SQA_DB_SUBMIT_NAME, "sqa-results.jsonl");
    if (filter->device)
        return SQA_OK;
    sqa_status status = sqa_device_option(NULL, &platform, &index);
    if (status == SQA_OK)
        status = sqa_device_at(platform, index, &id);
    if (status == SQA_OK)
        status = sqa_device_query(here, id);
    if (status != SQA_OK)
        return status;
    filter->identity = &here->identity;
    name_file(&here->identity, name);
    return SQA_OK;
}

/* Words of this machine that are nobody else's business. */
typedef struct private_words {
    char host[256];
    const char *words[8];
    size_t count;
} private_words;

typedef struct submission {
    sqa_store *store;
    private_words private;
} submission;

static void add_word(private_words *out, const char *word)
{
    static const char *const common[] = {"localhost", "root", "user"};
    if (!word || strlen(word) < 3)
        return;
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (!strcmp(word, common[i]))
            return;
    out->words[out->count++] = word;
}

static void gather_words(private_words *out)
{
    memset(out, 0, sizeof *out);
    if (!gethostname(out->host, sizeof out->host - 1))
        out->host[strcspn(out->host, ".")] = 0;
    add_word(out, out->host);
    add_word(out, getenv("USER"));
    add_word(out, getenv("LOGNAME"));
    add_word(out, getenv("HOME"));
    add_word(out, "/home/");
    add_word(out, "/Users/");
    add_word(out, "\\Users\\");
}

static bool is_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    bool path = !isalnum((unsigned char)word[0]);
    for (const char *at = text; (at = strstr(at, word)); at++)
        if (path || ((at == text || !isalnum((unsigned char)at[-1])) &&
                     !isalnum((unsigned char)at[length])))
            return true;
    return false;
}

/* The column that says something private; NULL: none does. */
static const char *find_private(const private_words *private, const sqa_stored_trial *trial)
{
    for (size_t i = 0; i < sqa_column_count; i++) {
        const sqa_column *column = &sqa_columns[i];
        const char *text = (const char *)trial + column->offset;
        if (column->kind != SQA_COLUMN_TEXT || !column->line)
            continue;
        for (size_t w = 0; w < private->count; w++)
            if (is_word(text, private->words[w]))
                return column->name;
    }
    return NULL;
}

static bool leave_out(const sqa_stored_trial *trial, const char *reason)
{
    fprintf(stderr, "sqa db export: trial %lld is left out: %s\n",
            trial ? (long long)trial->id : 0LL, reason);
    return false;
}

/* A default that met no other configuration has won nothing. */
static bool is_unopposed(sqa_store *store, const sqa_stored_trial *stored)
{
    int64_t tried = 0;
    return sqa_is_untuned(stored) && sqa_store_configurations(store, stored, &tried) == SQA_OK &&
           tried < 2;
}

static bool may_be_shown(void *user, const sqa_stored_trial *stored)
{
    const submission *self = user;
    if (!stored)
        return leave_out(NULL, sqa_last_error());
    if (!stored->final)
        return leave_out(stored, "it has won without a final; tune that problem again");
    if (is_unopposed(self->store, stored))
        return leave_out(stored, "it is the default, and nothing else was tried there");
    sqa_stored_trial trial = *stored;
    if (sqa_stored_trial_validate(&trial) != SQA_OK)
        return leave_out(stored, sqa_last_error());
    char reason[96];
    const char *column = find_private(&self->private, &trial);
    if (!column)
        return true;
    snprintf(reason, sizeof reason, "its %s names this machine, its user or a folder", column);
    return leave_out(stored, reason);
}

sqa_status sqa_db_submit_export(sqa_store *store, const sqa_store_filter *filter, FILE *file,
                                uint64_t *lines)
{
    submission self = {.store = store};
    gather_words(&self.private);
    sqa_status status = sqa_store_export(store, filter, may_be_shown, &self, file, lines);
    return status == SQA_OK && *lines == 0
               ? sqa_fail(SQA_DATABASE_ERROR,
                          "%s has no winner of a final to contribute for this "
                          "device; `sqa tune` finds some",
                          sqa_store_path(store))
               : status;
}
