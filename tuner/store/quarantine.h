/* Lines that an import or a merge refused, kept with the reason so that they can be
 * looked at. They are never dispatched, exported or merged; a line leaves when it is
 * taken in after all (by a newer version, say), or by `sqa db prune`. */
#ifndef SQA_TUNER_QUARANTINE_H
#define SQA_TUNER_QUARANTINE_H

#include "store/line_reader.h"
#include "store/store.h"

typedef struct sqa_quarantined {
    int64_t id;
    const char *source, *place, *reason;
    uint64_t bytes;   /* of the whole line */
    const char *line; /* how it begins */
    const char *recorded_at;
} sqa_quarantined;

/* Inside a transaction: keeps the line, once; the texts may be hostile. */
sqa_status sqa_quarantine_add(sqa_store *store, const sqa_line *line, const char *source,
                              const char *place, const char *reason);

/* Inside a transaction: forgets the line, if it is there. */
sqa_status sqa_quarantine_release(sqa_store *store, const sqa_line *line);

/* Inside a transaction: forgets the oldest lines beyond what is worth keeping. */
sqa_status sqa_quarantine_trim(sqa_store *store);

/* Visits what is there, oldest first; anything but SQA_OK from `visit` ends it. */
sqa_status sqa_quarantine_each(sqa_store *store,
                               sqa_status (*visit)(void *user, const sqa_quarantined *row),
                               void *user);

#endif
