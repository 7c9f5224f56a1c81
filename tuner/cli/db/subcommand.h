/* What the subcommands of `sqa db` share: which database, which rows, and a file
 * to work on. Each subcommand is a row of the table in command_db.c. */
#ifndef SQA_TUNER_DB_SUBCOMMAND_H
#define SQA_TUNER_DB_SUBCOMMAND_H

#include <stdbool.h>

#include "cli/db/problem_values.h"
#include "cli/options.h"
#include "store/store.h"
#include "text/json.h"

/* argv[0] is "db list" and so on: it stands in front of messages. */
int sqa_db_list(int argc, char **argv);
int sqa_db_best(int argc, char **argv);
int sqa_db_show(int argc, char **argv);
int sqa_db_export(int argc, char **argv);
int sqa_db_import(int argc, char **argv);
int sqa_db_merge(int argc, char **argv);
int sqa_db_check(int argc, char **argv);
int sqa_db_path(int argc, char **argv);
int sqa_db_query(int argc, char **argv);
int sqa_db_prune(int argc, char **argv);
int sqa_db_diff(int argc, char **argv);

#define SQA_DB_PATH_SIZE 4096

/* The database of a command, as its options say. */
typedef struct sqa_db_choice {
    const char *path; /* --db; NULL: the user's, or all where several are shown */
    bool user;        /* --user-db: that one alone */
    bool seed;        /* --seed-db: the one built into the library */
} sqa_db_choice;

#define SQA_DB_OPTION(choice)                                                                      \
    {                                                                                              \
        "db", "FILE", "the database; without it the user's, see `sqa db path`",                    \
            .text = &(choice).path                                                                 \
    }
#define SQA_SEED_DB_OPTION(choice)                                                                 \
    {                                                                                              \
        "seed-db", NULL, "the database built into the library instead", .flag = &(choice).seed,    \
                                                                        .excludes = "db"           \
    }
/* Of commands that show what the library combines (cli/db/sources.h). */
#define SQA_SHOWN_DB_OPTIONS(choice)                                                               \
    {"db", "FILE", "this database alone, instead of all that the library reads",                   \
     .text = &(choice).path},                                                                      \
        {"user-db", NULL, "the user's alone, see `sqa db path`", .flag = &(choice).user,           \
         .excludes = "db"},                                                                        \
    {                                                                                              \
        "seed-db", NULL, "the one built into the library alone", .flag = &(choice).seed,           \
                                                                 .excludes = "db,user-db"          \
    }
/* Which rows of a sqa_store_filter. */
#define SQA_FILTER_OPTIONS(filter)                                                                 \
    {"device", "TEXT", "only devices with this in their names", .text = &(filter).device},         \
        {"vendor", "NAME", "only this vendor, such as amd", .text = &(filter).vendor},             \
        {"family", "NAME", "only this kernel family", .text = &(filter).family},                   \
        {"operation", "NAME", "only this operation", .text = &(filter).operation},                 \
        {"variant", "NAME", "only heads of this variant: mha, gqa, sqa, xsqa, ...",                \
         .text = &(filter).variant},                                                               \
        {"heads", "H", "only variants of a model of this many heads",                              \
         .count = {&(filter).heads, 1, 65535}},                                                    \
        {"dim", "D", "only this head dimension",                                                   \
         .count = {&(filter).head_dim, 1, SQA_MAX_HEAD_DIM}},                                      \
        {"seq", "N", "only this many queries", .count = {&(filter).q_length, 1, 1u << 30}},        \
        {"dtype", "TYPE", "only this storage: f32, f16 or bf16", .text = &(filter).dtype},         \
    {                                                                                              \
        "mask", "NAME", "only this mask: none, causal, window, causal+window, ...",                \
            .text = &(filter).mask                                                                 \
    }
#define SQA_STATUS_OPTION(filter)                                                                  \
    {                                                                                              \
        "status", "NAME", "only trials that ended so: ok, crashed, ...", .text = &(filter).status  \
    }
#define SQA_CSV_OPTION(csv)                                                                        \
    {                                                                                              \
        "csv", NULL, "comma-separated values, one line of names first", .flag = &(csv),            \
                                                                        .excludes = "json"         \
    }
#define SQA_WIDE_OPTION(wide)                                                                      \
    {                                                                                              \
        "wide", NULL, "a table with all columns, also on a narrow terminal",                       \
            .flag = &(wide), .excludes = "json,csv"                                                \
    }
#define SQA_JSON_OPTION(json)                                                                      \
    {                                                                                              \
        "json", NULL, "one JSON document on standard output", .flag = &(json)                      \
    }

/* Reads options among which some words may be operands; they may stand anywhere.
 * `names` says what they are called, "A B", in the order of `operands`. Otherwise as
 * sqa_options_read(). */
bool sqa_db_options_read(int argc, char **argv, const char *summary, const sqa_option *options,
                         const char *names, const char **operands, int *code);

/* The file the choice means, in `buffer` where it is the user's.
 * Errors: SQA_DATABASE_ERROR when there is no place for it. */
sqa_status sqa_db_locate(const sqa_db_choice *choice, char buffer[SQA_DB_PATH_SIZE],
                         const char **path);

/* One database. Errors: those of opening a store. */
sqa_status sqa_db_open_to_read(sqa_store **out, const sqa_db_choice *choice);
sqa_status sqa_db_open_to_write(sqa_store **out, const sqa_db_choice *choice);

/* Whether --out may be written while the choice is read. Errors: SQA_INVALID_ARGUMENT. */
sqa_status sqa_db_check_output(const sqa_db_choice *choice, const char *path);

/* To write, but only where there is a database already. */
sqa_status sqa_db_open_existing(sqa_store **out, const sqa_db_choice *choice);

/* Sees to it that the words of a filter exist, so that a misspelt one is not taken for
 * an empty database. Errors: SQA_INVALID_ARGUMENT. */
sqa_status sqa_db_check_filter(const sqa_store_filter *filter);

/* The problem of a trial but for its heads: "forward f32 b=1 nq=2048 nk=2048 d=64 causal".
 * Of letters, digits and what shapes need besides, whatever the database says. */
#define SQA_DB_PROBLEM_TEXT (64 + SQA_SHAPE_TEXT)
void sqa_db_problem_text(const sqa_stored_trial *trial, char out[SQA_DB_PROBLEM_TEXT]);

/* Its heads, "8 / 2"; "-": it has none. */
#define SQA_DB_HEADS_TEXT 32
void sqa_db_heads_text(const sqa_stored_trial *trial, char out[SQA_DB_HEADS_TEXT]);

/* Version of the documents that have trials in them: since 2 what a problem is about comes
 * from its shape. */
#define SQA_DB_JSON_SCHEMA 2

/* For `sqa db export --submit`: restricts the filter to winners on the device at hand,
 * whose names go to *here, unless it names another; `name`: of the file.
 * Errors: those of asking OpenCL. */
#define SQA_DB_SUBMIT_NAME 256
sqa_status sqa_db_submit_prepare(sqa_store_filter *filter, sqa_device *here,
                                 char name[SQA_DB_SUBMIT_NAME]);

/* Writes what may be shown to everybody and passes the checks; says on standard error
 * what is left out. Errors: SQA_DATABASE_ERROR when nothing remains. */
sqa_status sqa_db_submit_export(sqa_store *store, const sqa_store_filter *filter, FILE *file,
                                uint64_t *lines);

/* What imports and merges refused. */
sqa_status sqa_db_print_quarantine(sqa_store *store, bool as_json, bool wide);

/* A trial as the members of an open JSON object. */
void sqa_db_write_trial(sqa_json *json, const sqa_stored_trial *trial);

/* A trial as a line of CSV: every column of the database, with the values of its problem
 * that have these names behind its shape; `trial` NULL: the names. */
void sqa_db_write_csv(const sqa_stored_trial *trial, const sqa_value_names *names);

#endif
