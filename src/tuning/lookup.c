#include "tuning/lookup.h"

#include <string.h>

static const char *const rung_names[] = {
    [SQA_RUNG_OVERRIDE] = "override",         [SQA_RUNG_EXACT] = "exact",
    [SQA_RUNG_OTHER_DRIVER] = "other-driver", [SQA_RUNG_NEAREST_SIZE] = "nearest-size",
    [SQA_RUNG_ARCHITECTURE] = "architecture", [SQA_RUNG_VENDOR] = "vendor",
    [SQA_RUNG_MODELLED] = "modelled",         [SQA_RUNG_PREBUILT] = "prebuilt",
    [SQA_RUNG_DEFAULT] = "default",           [SQA_RUNG_NAIVE] = "naive",
};

const char *sqa_rung_name(sqa_rung rung)
{
    size_t index = (size_t)rung;
    return index < sizeof rung_names / sizeof *rung_names ? rung_names[index] : NULL;
}

/* An unknown name is no evidence that two devices are alike. */
static bool same(const char *a, const char *b)
{
    return a[0] && !strcmp(a, b);
}

/* The rung on which `row` can serve the class on the device; false: on none.
 * Rows never cross from one runtime to another, not even on one piece of silicon:
 * PoCL and Rusticl compile the same source into very different code. */
static bool rung_of(const sqa_tuning_row *row, const sqa_device *device,
                    const sqa_problem_class *problem_class, sqa_rung *rung)
{
    const sqa_device_identity *theirs = &row->identity, *ours = &device->identity;
    if (!same(theirs->vendor, ours->vendor) || !same(theirs->runtime, ours->runtime) ||
        row->device_type != device->strings.type)
        return false;
    if (row->modelled > 0) {
        /* A model is of one architecture, and knows no drivers. */
        *rung = SQA_RUNG_MODELLED;
        return same(theirs->architecture, ours->architecture);
    }
    if (!same(theirs->architecture, ours->architecture)) {
        /* Kernels tuned for vectors of one length are slow with those of another. */
        if (row->vector_width_float != device->limits.vector_width_float)
            return false;
        *rung = SQA_RUNG_VENDOR;
    } else if (!same(theirs->model, ours->model))
        *rung = SQA_RUNG_ARCHITECTURE;
    else if (!sqa_problem_class_equal(&row->problem_class, problem_class))
        *rung = SQA_RUNG_NEAREST_SIZE;
    else if (strcmp(row->driver_version, device->strings.driver_version))
        *rung = SQA_RUNG_OTHER_DRIVER;
    else
        *rung = SQA_RUNG_EXACT;
    return true;
}

/* What decides a row's place among the candidates. */
typedef struct standing {
    sqa_rung rung;
    int distance; /* between the classes */
    uint32_t units_apart;
    bool other_driver;
    const sqa_tuning_row *row;
} standing;

/* false: the row says nothing about this device and class. */
static bool judge(const sqa_tuning_row *row, const sqa_device *device,
                  const sqa_problem_class *problem_class, standing *out)
{
    out->row = row;
    out->distance = sqa_problem_class_distance(&row->problem_class, problem_class);
    if (out->distance < 0 || !rung_of(row, device, problem_class, &out->rung))
        return false;
    uint32_t units = device->strings.compute_units;
    out->units_apart =
        row->compute_units > units ? row->compute_units - units : units - row->compute_units;
    out->other_driver = strcmp(row->driver_version, device->strings.driver_version) != 0;
    return true;
}

/* Whether `a` is to be tried before `b`. Neither: the table's order decides. */
static bool is_better(const standing *a, const standing *b)
{
    if (a->rung != b->rung)
        return a->rung < b->rung;
    if (a->row->database != b->row->database)
        return a->row->database < b->row->database;
    if (a->distance != b->distance)
        return a->distance < b->distance;
    if (a->units_apart != b->units_apart)
        return a->units_apart < b->units_apart;
    if (a->other_driver != b->other_driver)
        return b->other_driver;
    return a->row->fraction > b->row->fraction;
}

size_t sqa_lookup(const sqa_tuning_table *table, const sqa_device *device,
                  const sqa_problem_class *problem_class, int most_distance, sqa_candidate *out,
                  size_t capacity)
{
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        standing candidate, other;
        if (!judge(&table->rows[i], device, problem_class, &candidate) ||
            candidate.distance > most_distance)
            continue;
        /* Insertion into the best `capacity` so far; what falls off the end is lost. */
        size_t place = count;
        while (place > 0 && judge(out[place - 1].row, device, problem_class, &other) &&
               is_better(&candidate, &other))
            place--;
        if (place == capacity)
            continue;
        if (count < capacity)
            count++;
        memmove(&out[place + 1], &out[place], (count - 1 - place) * sizeof *out);
        out[place] = (sqa_candidate){candidate.rung, candidate.row};
    }
    return count;
}
