/* See walker.h. */
#include "search/walker.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/status.h"

struct sqa_walker {
    sqa_search *search;
    const sqa_strategy *strategy;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t turn_passed;
    bool walks;      /* it is the walker's turn, not the owner's */
    bool asks;       /* it stands at a question */
    bool ended;      /* it has nothing more to ask */
    bool dismissed;  /* it is to end at its next question */
    sqa_point point; /* what it asks about, while it waits */
};

static void pass_turn(sqa_walker *self, bool walks)
{
    self->walks = walks;
    pthread_cond_broadcast(&self->turn_passed);
}

static void await_turn(sqa_walker *self, bool walks)
{
    while (self->walks != walks)
        pthread_cond_wait(&self->turn_passed, &self->lock);
}

/* The search's question, on the walker's thread: passes the turn to the owner and comes
 * back once the cost is known. */
static bool question(void *user, sqa_point point, double *cost)
{
    sqa_walker *self = user;
    pthread_mutex_lock(&self->lock);
    self->point = point;
    self->asks = true;
    if (!self->dismissed) {
        pass_turn(self, false);
        await_turn(self, true);
    }
    const bool goes_on = !self->dismissed;
    pthread_mutex_unlock(&self->lock);
    return goes_on && sqa_search_knows(self->search, point, cost);
}

static void *walk(void *user)
{
    sqa_walker *self = user;
    pthread_mutex_lock(&self->lock);
    await_turn(self, true);
    pthread_mutex_unlock(&self->lock);
    self->strategy->run(self->search);
    pthread_mutex_lock(&self->lock);
    self->ended = true;
    pass_turn(self, false);
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

static void release(sqa_walker *self)
{
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->turn_passed);
    free(self);
}

sqa_status sqa_walker_create(sqa_walker **out, sqa_search *search, const sqa_strategy *strategy)
{
    sqa_walker *self = calloc(1, sizeof *self);
    if (!self)
        return sqa_fail_memory("a walker");
    self->search = search;
    self->strategy = strategy;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->turn_passed, NULL);
    if (pthread_create(&self->thread, NULL, walk, self)) {
        release(self);
        return sqa_fail_memory("a walker's thread");
    }
    *out = self;
    return SQA_OK;
}

/* One turn of the walker. */
static void let_walk(sqa_walker *self)
{
    self->search->evaluate = question;
    self->search->user = self;
    pthread_mutex_lock(&self->lock);
    pass_turn(self, true);
    await_turn(self, false);
    pthread_mutex_unlock(&self->lock);
}

bool sqa_walker_ask(sqa_walker *walker, sqa_point *point)
{
    double unused;
    if (!walker->ended &&
        (!walker->asks || sqa_search_knows(walker->search, walker->point, &unused)))
        let_walk(walker);
    *point = walker->point;
    return !walker->ended;
}

void sqa_walker_destroy(sqa_walker *walker)
{
    if (!walker)
        return;
    walker->dismissed = true;
    while (!walker->ended)
        let_walk(walker);
    pthread_join(walker->thread, NULL);
    release(walker);
}
