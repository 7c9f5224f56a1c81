/* What the tuning databases know, in memory: read once when a context is made,
 * never written here. A database that cannot be read is left aside with one
 * warning; the table is then simply shorter. */
#ifndef SQA_TUNING_TUNING_TABLE_H
#define SQA_TUNING_TUNING_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/log.h"
#include "device/device.h"
#include "kernels/config.h"
#include "operations/problem_class.h"
#include "tuning/database_paths.h"
#include "tuning/probe_answers.h"

/* Whose database a result is from. */
typedef enum sqa_tuning_source {
    SQA_SOURCE_USER = 0, /* the user's own */
    SQA_SOURCE_EXTRA,    /* one that a program or its user named besides */
    SQA_SOURCE_SEED      /* the one built into the library */
} sqa_tuning_source;

const char *sqa_tuning_source_name(sqa_tuning_source source); /* "user-db", ... */

/* One best configuration, as stored. */
typedef struct sqa_tuning_row {
    sqa_tuning_source source;
    uint32_t database; /* its number in the table; of equal results the lowest is taken */
    sqa_device_identity identity;
    sqa_device_type device_type;
    uint32_t compute_units;
    uint32_t vector_width_float; /* native */
    char driver_version[128];
    sqa_problem_class problem_class;
    char family[32];
    uint32_t space_version;
    char candidates[SQA_HASH_TEXT]; /* sqa_candidates_digest() when it was measured; "": unknown */
    char config[SQA_CONFIG_TEXT];
    double gflops;   /* 0 where a model made the row */
    double modelled; /* then the part of the rate of multiply-adds that it gives; else 0 */
    double fraction; /* of what was possible when it was measured; 0: unknown */
} sqa_tuning_row;

typedef struct sqa_tuning_table {
    sqa_tuning_row *rows;
    size_t count;
    char **databases; /* that were read, in this order: path, or words for the one built in */
    uint32_t database_count;
    sqa_probe_answers probes;
} sqa_tuning_table;

#define SQA_TUNING_TABLE_INIT                                                                      \
    {                                                                                              \
        0, 0, 0, 0, SQA_PROBE_ANSWERS_INIT                                                         \
    }

/* Appends the best rows of the database file at `path`: those that can serve the device,
 * by its vendor, runtime and type; NULL: all. A missing file is normal and silent. Anything else
 * that stops the reading (unreadable, not a database, locked, newer schema, a directory) gives one
 * warning and SQA_OK; only SQA_OUT_OF_MEMORY is an error. */
sqa_status sqa_tuning_table_load_file(sqa_tuning_table *table, const char *path,
                                      const sqa_device *device, const sqa_log *log);

/* The same of a database that somebody named: that it is missing is a warning, too. */
sqa_status sqa_tuning_table_load_extra(sqa_tuning_table *table, const char *path,
                                       const sqa_device *device, const sqa_log *log);

/* Appends those of the rows built into the library. */
sqa_status sqa_tuning_table_load_seed(sqa_tuning_table *table, const sqa_device *device,
                                      const sqa_log *log);

/* Which databases, as sqa_context_options has them. */
typedef struct sqa_tuning_sources {
    const char *user_database;          /* NULL: where the per-user one lives; "": none */
    const char *const *extra_databases; /* NULL: those of $SQA_CL_EXTRA_DBS */
    bool skip_seed;
} sqa_tuning_sources;

/* Appends what a context dispatches from: the user's database, the extra ones, and, unless
 * it is skipped, the one built in. */
sqa_status sqa_tuning_table_load(sqa_tuning_table *table, const sqa_tuning_sources *sources,
                                 const sqa_device *device, const sqa_log *log);

void sqa_tuning_table_free(sqa_tuning_table *table);

#endif
