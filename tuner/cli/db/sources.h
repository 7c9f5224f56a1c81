/* The databases whose rows a command shows: the one that was chosen, or all that the library
 * combines, in its order: the user's own, the extra ones, the one built in. */
#ifndef SQA_TUNER_DB_SOURCES_H
#define SQA_TUNER_DB_SOURCES_H

#include "base/text.h"
#include "cli/db/subcommand.h"
#include "store/trial_list.h"

typedef struct sqa_db_source {
    char name[sizeof((sqa_stored_trial *)0)->source]; /* "user-db", "extra-db-1", "seed-db", "file"
                                                       */
    sqa_store *store;
} sqa_db_source;

typedef struct sqa_db_sources {
    sqa_db_source *items;
    size_t count;
    sqa_text text; /* for people: what they are, one after the other */
} sqa_db_sources;

#define SQA_DB_SOURCES_INIT                                                                        \
    {                                                                                              \
        0, 0, SQA_TEXT_INIT                                                                        \
    }

/* A user's database that is not there yet is left out where others are shown. Close them also
 * after a failure.
 * Errors: those of opening a store, of which none is passed over. */
sqa_status sqa_db_sources_open(sqa_db_sources *out, const sqa_db_choice *choice);
void sqa_db_sources_close(sqa_db_sources *sources);

/* sqa_store_each() of one source after the other; trials know theirs. Of what is best
 * (filter->best_only) the library uses for a device, driver and class what the first source
 * has, and no other is visited. */
sqa_status sqa_db_sources_each(const sqa_db_sources *sources, const sqa_store_filter *filter,
                               sqa_store_visit visit, void *user);

/* Appends them to a list; in the order of filter->ranking they are ranked together. */
sqa_status sqa_db_sources_list(const sqa_db_sources *sources, const sqa_store_filter *filter,
                               sqa_trial_list *list);

/* Members of an open document: what was read. */
void sqa_db_sources_write_json(const sqa_db_sources *sources, sqa_json *json);

#endif
