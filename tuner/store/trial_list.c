#include "store/trial_list.h"

#include <stdlib.h>
#include <string.h>

#include "store/connection.h"
#include "store/heads.h"

sqa_status sqa_trial_list_append(void *user, const sqa_stored_trial *trial)
{
    sqa_trial_list *list = user;
    if (!trial) {
        list->unreadable++;
        return SQA_OK;
    }
    /* Grows at powers of two. */
    if ((list->count & (list->count - 1)) == 0) {
        size_t larger = list->count ? 2 * list->count : 1;
        sqa_stored_trial *trials = realloc(list->trials, larger * sizeof *trials);
        if (!trials)
            return sqa_fail_memory("a list of trials");
        list->trials = trials;
    }
    list->trials[list->count++] = *trial;
    return SQA_OK;
}

sqa_status sqa_trial_list_read(sqa_trial_list *list, sqa_store *store,
                               const sqa_store_filter *filter)
{
    return sqa_store_each(store, filter, sqa_trial_list_append, list);
}

void sqa_trial_list_free(sqa_trial_list *list)
{
    free(list->trials);
    *list = (sqa_trial_list)SQA_TRIAL_LIST_INIT;
}

/* What ranks a trial. */
typedef struct standing {
    size_t index; /* in the list */
    const sqa_stored_trial *trial;
    uint32_t heads[2];
    char problem[SQA_SHAPE_TEXT]; /* but for its heads */
} standing;

static int compare_standings(const void *x, const void *y)
{
    const standing *a = x, *b = y;
    int order = strcmp(a->trial->operation, b->trial->operation);
    if (!order)
        order = sqa_compare_by_numbers(a->problem, b->problem);
    for (int i = 0; i < 2 && !order; i++)
        order = (a->heads[i] < b->heads[i]) - (a->heads[i] > b->heads[i]);
    const double first = a->trial->result.median_ms, second = b->trial->result.median_ms;
    if (!order)
        order = (first > second) - (first < second);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

sqa_status sqa_trial_list_rank(sqa_trial_list *list)
{
    if (list->count == 0)
        return SQA_OK;
    standing *order = calloc(list->count, sizeof *order);
    size_t room = 1; /* as sqa_trial_list_append() has it */
    while (room < list->count)
        room *= 2;
    sqa_stored_trial *ranked = malloc(room * sizeof *ranked);
    if (!order || !ranked) {
        free(order);
        free(ranked);
        return sqa_fail_memory("a list of trials");
    }
    for (size_t i = 0; i < list->count; i++) {
        order[i].index = i;
        order[i].trial = &list->trials[i];
        sqa_shape_heads(list->trials[i].shape, &order[i].heads[0], &order[i].heads[1]);
        sqa_shape_drop_heads(list->trials[i].shape, order[i].problem);
    }
    qsort(order, list->count, sizeof *order, compare_standings);
    for (size_t i = 0; i < list->count; i++)
        ranked[i] = *order[i].trial;
    free(order);
    free(list->trials);
    list->trials = ranked;
    return SQA_OK;
}

bool sqa_same_environment(const sqa_stored_trial *a, const sqa_stored_trial *b)
{
    return a->environment == b->environment && !strcmp(a->source, b->source);
}

bool sqa_same_device(const sqa_stored_trial *a, const sqa_stored_trial *b)
{
    const sqa_device_identity *x = &a->device.identity, *y = &b->device.identity;
    return !strcmp(x->vendor, y->vendor) && !strcmp(x->architecture, y->architecture) &&
           !strcmp(x->model, y->model) && !strcmp(x->runtime, y->runtime);
}

bool sqa_same_but_heads(const sqa_stored_trial *a, const sqa_stored_trial *b)
{
    return !strcmp(a->operation, b->operation) && sqa_shape_same_but_heads(a->shape, b->shape);
}
