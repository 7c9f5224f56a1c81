#include "cli/interrupt.h"

#include <string.h>

static volatile sig_atomic_t requested;

static void on_signal(int number)
{
    requested = 1;
    signal(number, SIG_DFL);
}

const volatile sig_atomic_t *sqa_interrupt_catch(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &requested;
}
