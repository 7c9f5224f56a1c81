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

typedef enum sqa_tuning_source { SQA_SOURCE_USER = 0, SQA_SOURCE_SEED = 1 } sqa_tuning_source;

/* One best configuration, as stored. */
typedef struct sqa_tuning_row {
    sqa_tuning_source source;
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
    double gflops;
    double fraction; /* of what was possible when it was measured; 0: unknown */
} sqa_tuning_row;

typedef struct sqa_tuning_table {
    sqa_tuning_row *rows;
    size_t count;
} sqa_tuning_table;

#define SQA_TUNING_TABLE_INIT                                                                      \
    {                                                                                              \
        0, 0                                                                                       \
    }

/* Appends the best rows of the database file at `path`: those that can serve the device,
 * by its vendor, runtime and type; NULL: all. A missing file is normal and silent. Anything else
 * that stops the reading (unreadable, not a database, locked, newer schema, a directory) gives one
 * warning and SQA_OK; only SQA_OUT_OF_MEMORY is an error. */
sqa_status sqa_tuning_table_load_file(sqa_tuning_table *table, const char *path,
                                      const sqa_device *device, const sqa_log *log);

/* Appends those of the rows built into the library. */
sqa_status sqa_tuning_table_load_seed(sqa_tuning_table *table, const sqa_device *device,
                                      const sqa_log *log);

/* Appends what a context dispatches from: the user's database, then, unless `skip_seed`,
 * the rows built in. `user_database` NULL: where the per-user one lives; "": none. */
sqa_status sqa_tuning_table_load(sqa_tuning_table *table, const char *user_database, bool skip_seed,
                                 const sqa_device *device, const sqa_log *log);

void sqa_tuning_table_free(sqa_tuning_table *table);

/* Where the per-user database lives: $SQA_CL_DB, else $XDG_DATA_HOME/sqa_cl/tuning.db,
 * else $HOME/.local/share/sqa_cl/tuning.db; an $XDG_DATA_HOME that is relative is
 * ignored. false when none of them is set or the path does not fit. */
bool sqa_user_database_path(char *out, size_t size);

#endif
