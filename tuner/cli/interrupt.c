#include "cli/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

static atomic_bool requested;

/* The second signal has the effect that it has elsewhere. */
static void *await(void *waited_for)
{
    int number = 0;
    sigwait(waited_for, &number);
    atomic_store(&requested, true);
    sigwait(waited_for, &number);
    signal(number, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, waited_for, NULL);
    raise(number);
    return NULL;
}

const atomic_bool *sqa_interrupt_catch(void)
{
    static sigset_t signals;
    sigset_t before;
    pthread_t thread;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    if (pthread_create(&thread, NULL, await, &signals) == 0)
        pthread_detach(thread);
    else
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    return &requested;
}
