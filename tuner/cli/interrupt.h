/* Ctrl-C and `kill`: the first asks a long command to wind up and say what it has, the
 * second one ends the program. */
#ifndef SQA_TUNER_INTERRUPT_H
#define SQA_TUNER_INTERRUPT_H

#include <signal.h>

/* From here on SIGINT and SIGTERM set what is returned, which is 0 until then. */
const volatile sig_atomic_t *sqa_interrupt_catch(void);

#endif
