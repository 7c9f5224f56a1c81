/* Removing what no longer serves from a store. */
#ifndef SQA_TUNER_PRUNE_H
#define SQA_TUNER_PRUNE_H

#include "store/store.h"

typedef struct sqa_prune_options {
    uint32_t keep;   /* of the trials that were timed, the winner and this many of the fastest
                        stay per environment and problem class; 0: all of them */
    bool quarantine; /* empty the quarantine, too */
    bool dry_run;    /* count only */
} sqa_prune_options;

typedef struct sqa_prune_report {
    int64_t outdated; /* trials of an older version of their family's parameters */
    int64_t losers;   /* trials beyond the fastest */
    int64_t quarantined;
    int64_t classes, environments, devices; /* that nothing refers to any more */
} sqa_prune_report;

/* All or nothing, in one transaction; then the file is made smaller, if nobody else
 * is using it. Trials that failed stay: they save the tuner from trying them again.
 * Families that are not known here are left alone. */
sqa_status sqa_store_prune(sqa_store *store, const sqa_prune_options *options,
                           sqa_prune_report *report);

#endif
