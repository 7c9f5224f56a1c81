/* What the subcommands of `sqa db` share: which database, which rows, and a file
 * to work on. Each subcommand is a row of the table in command_db.c. */
#ifndef SQA_TUNER_DB_COMMAND_H
#define SQA_TUNER_DB_COMMAND_H

#include <stdbool.h>

#include "cli/json.h"
#include "cli/options.h"
#include "store/store.h"

/* argv[0] is "db list" and so on: it stands in front of messages. */
int sqa_db_list(int argc, char **argv);
int sqa_db_best(int argc, char **argv);
int sqa_db_show(int argc, char **argv);
int sqa_db_export(int argc, char **argv);
int sqa_db_import(int argc, char **argv);
int sqa_db_merge(int argc, char **argv);
int sqa_db_check(int argc, char **argv);
int sqa_db_path(int argc, char **argv);

#define SQA_DB_PATH_SIZE 4096

/* The database of a command, as its options say. */
typedef struct sqa_db_choice {
    const char *path; /* --db; NULL: the user's */
    bool seed;        /* --seed-db: the one built into the library */
} sqa_db_choice;

#define SQA_DB_OPTION(choice)                                                                      \
    {                                                                                              \
        "db", "FILE", "the database; without it the user's, see `sqa db path`",                    \
            .text = &(choice).path                                                                 \
    }
#define SQA_SEED_DB_OPTION(choice)                                                                 \
    {                                                                                              \
        "seed-db", NULL, "the database built into the library instead", .flag = &(choice).seed     \
    }
#define SQA_DEVICE_OPTION(filter)                                                                  \
    {                                                                                              \
        "device", "TEXT", "only devices with this in their names", .text = &(filter).device        \
    }
#define SQA_FAMILY_OPTION(filter)                                                                  \
    {                                                                                              \
        "family", "NAME", "only this kernel family", .text = &(filter).family                      \
    }
#define SQA_OPERATION_OPTION(filter)                                                               \
    {                                                                                              \
        "operation", "NAME", "only this operation, such as forward", .text = &(filter).operation   \
    }
#define SQA_JSON_OPTION(json)                                                                      \
    {                                                                                              \
        "json", NULL, "one JSON document on standard output", .flag = &(json)                      \
    }

/* Reads options of which one word may be an operand, called `name` ("FILE"); it
 * may stand anywhere. Otherwise as sqa_options_read(). */
bool sqa_db_options_read(int argc, char **argv, const char *summary, const sqa_option *options,
                         const char *name, const char **operand, int *code);

/* The file the choice means, in `buffer` where it is the user's.
 * Errors: SQA_DATABASE_ERROR when there is no place for it. */
sqa_status sqa_db_locate(const sqa_db_choice *choice, char buffer[SQA_DB_PATH_SIZE],
                         const char **path);

/* Errors: SQA_INVALID_ARGUMENT for a choice that contradicts itself, and those of
 * opening a store. */
sqa_status sqa_db_open_to_read(sqa_store **out, const sqa_db_choice *choice);
sqa_status sqa_db_open_to_write(sqa_store **out, const sqa_db_choice *choice);

/* Whether the words of a filter exist, so that a misspelt one is not taken for an
 * empty database. Errors: SQA_INVALID_ARGUMENT. */
sqa_status sqa_db_check_filter(const sqa_store_filter *filter);

/* A trial as the members of an open JSON object. */
void sqa_db_write_trial(sqa_json *json, const sqa_stored_trial *trial);

#endif
