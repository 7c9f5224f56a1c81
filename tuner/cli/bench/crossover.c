/* See crossover.h. Lengths in between those that were measured are not guessed at. */
#include "cli/bench/crossover.h"

#include <stdio.h>

#include "operations/tuner_operations.h"

/* The operation that a row's could take the place of; NULL: none. */
static const sqa_operation_entry *replaced_by(const sqa_bench_row *row)
{
    const sqa_tuner_operation *operation =
        row->pass->part_count == 1 ? sqa_tuner_operation_find(row->pass->parts[0].operation->id)
                                   : NULL;
    return row->shown && row->variant && operation ? operation->instead_of : NULL;
}

static bool is_same_model(const sqa_bench_row *a, const sqa_bench_row *b)
{
    return a->variant == b->variant && a->dim == b->dim && a->peer == b->peer &&
           (a->pass != b->pass || a->asked_family == b->asked_family);
}

/* The row of the same model and length of what this one could replace; NULL: not measured. */
static const sqa_bench_row *counterpart(const sqa_bench_report *report, const sqa_bench_row *row)
{
    const sqa_operation_entry *entry = replaced_by(row);
    for (size_t i = 0; i < report->count && entry; i++) {
        const sqa_bench_row *other = &report->rows[i];
        if (other->shown && other->pass->part_count == 1 &&
            other->pass->parts[0].operation == entry && other->length == row->length &&
            other->queries == row->queries && is_same_model(other, row))
            return other;
    }
    return NULL;
}

static double gain_of(const sqa_bench_report *report, const sqa_bench_row *row)
{
    return counterpart(report, row)->median_ms / row->median_ms;
}

static bool is_same_line(const sqa_bench_row *a, const sqa_bench_row *b)
{
    return a->pass == b->pass && is_same_model(a, b);
}

static bool is_first_of_line(const sqa_bench_report *report, const sqa_bench_row *row)
{
    for (const sqa_bench_row *other = report->rows; other < row; other++)
        if (is_same_line(other, row) && counterpart(report, other))
            return false;
    return true;
}

/* The shortest length that is faster, like all longer ones; else, in *longest, the longest. */
static const sqa_bench_row *crossover(const sqa_bench_report *report, const sqa_bench_row *line,
                                      const sqa_bench_row **longest)
{
    const sqa_bench_row *slow = NULL, *found = NULL;
    *longest = line;
    for (size_t i = 0; i < report->count; i++) {
        const sqa_bench_row *row = &report->rows[i];
        if (!is_same_line(row, line) || !counterpart(report, row))
            continue;
        if (row->length > (*longest)->length)
            *longest = row;
        if (gain_of(report, row) <= 1.0 && (!slow || row->length > slow->length))
            slow = row;
    }
    for (size_t i = 0; i < report->count; i++) {
        const sqa_bench_row *row = &report->rows[i];
        if (is_same_line(row, line) && counterpart(report, row) &&
            (!slow || row->length > slow->length) && (!found || row->length < found->length))
            found = row;
    }
    return found;
}

static void print_line(const sqa_bench_report *report, const sqa_bench_row *line)
{
    const sqa_bench_row *longest, *from = crossover(report, line, &longest);
    const char *other = replaced_by(line)->name;
    printf("%s, D = %u: %s is faster than %s ", line->variant->name, line->dim, line->pass->name,
           other);
    if (from)
        printf("from length %u on (%.2fx there, %.2fx at %u)\n", from->length,
               gain_of(report, from), gain_of(report, longest), longest->length);
    else
        printf("at none of these lengths (%.2fx at %u)\n", gain_of(report, longest),
               longest->length);
}

bool sqa_bench_has_crossovers(const sqa_bench_report *report)
{
    const sqa_bench_row *first = NULL;
    for (size_t i = 0; i < report->count; i++) {
        const sqa_bench_row *row = &report->rows[i];
        if (!counterpart(report, row))
            continue;
        if (first && first->length != row->length)
            return true;
        first = row;
    }
    return false;
}

void sqa_bench_print_crossovers(const sqa_bench_view *view)
{
    const sqa_bench_report *report = view->report;
    bool any = false;
    for (size_t i = 0; i < report->count; i++) {
        const sqa_bench_row *row = &report->rows[i];
        if (!counterpart(report, row) || !is_first_of_line(report, row))
            continue;
        if (!any)
            printf("\n");
        any = true;
        print_line(report, row);
    }
}
