#include "store/trial_list.h"

#include <stdlib.h>
#include <string.h>

#include "store/heads.h"

static sqa_status append(void *user, const sqa_stored_trial *trial)
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
    return sqa_store_each(store, filter, append, list);
}

void sqa_trial_list_free(sqa_trial_list *list)
{
    free(list->trials);
    *list = (sqa_trial_list)SQA_TRIAL_LIST_INIT;
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
