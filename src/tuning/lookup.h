/* The lookup ladder: which rows of the tuning table to try for a problem on a
 * device, best first. Pure; the caller re-checks constraints and builds. */
#ifndef SQA_TUNING_LOOKUP_H
#define SQA_TUNING_LOOKUP_H

#include "device/device.h"
#include "tuning/tuning_table.h"

/* From the most to the least specific; the first and the last three are not rows. What was
 * measured anywhere comes before what a model says. */
typedef enum sqa_rung {
    SQA_RUNG_OVERRIDE = 0, /* the caller named it */
    SQA_RUNG_EXACT,        /* this device, driver and class */
    SQA_RUNG_OTHER_DRIVER, /* this device and class, another driver */
    SQA_RUNG_NEAREST_SIZE, /* this device, the nearest class of the same kind */
    SQA_RUNG_ARCHITECTURE, /* the same architecture: nearest class, then nearest compute units */
    SQA_RUNG_VENDOR,       /* the same vendor, runtime, device type and native vectors */
    SQA_RUNG_MODELLED,     /* never measured: a model's choice for this architecture */
    SQA_RUNG_PREBUILT,     /* no compiler, but this program is there */
    SQA_RUNG_DEFAULT,      /* the family's own default */
    SQA_RUNG_NAIVE         /* the family that supports everything */
} sqa_rung;

const char *sqa_rung_name(sqa_rung rung); /* "override", "exact", "other-driver", ... */

typedef struct sqa_candidate {
    sqa_rung rung;
    const sqa_tuning_row *row; /* borrowed from the table */
} sqa_candidate;

/* As far as a row is borrowed, by sqa_problem_class_distance(): four times the length of queries
 * and keys, or one kind of mask more or less; among fewer than 64 queries, as many. What was best
 * further off was found to be up to 20 times slower than the default (tuner/STRATEGIES.md). */
#define SQA_BORROWED_MOST 4

/* Fills at most `capacity` candidates, none further off than `most_distance`, best first: by rung,
 * user before seed, nearer class, nearer compute units, same driver, nearer to what was possible.
 * Rows of another runtime are never candidates. Returns how many. */
size_t sqa_lookup(const sqa_tuning_table *table, const sqa_device *device,
                  const sqa_problem_class *problem_class, int most_distance, sqa_candidate *out,
                  size_t capacity);

#endif
