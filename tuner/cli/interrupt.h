/* Ctrl-C and `kill`: the first asks a long command to wind up and say what it has, the
 * second one ends the program. */
#ifndef SQA_TUNER_INTERRUPT_H
#define SQA_TUNER_INTERRUPT_H

#include <stdatomic.h>

/* From here on SIGINT and SIGTERM set what is returned, which is false until then. To be called
 * once, before an OpenCL runtime starts threads: it blocks the signals, also in programs that
 * a runtime starts. A terminal sends Ctrl-C to these, too, and a runtime whose linker is
 * killed may take the whole program with it. */
const atomic_bool *sqa_interrupt_catch(void);

#endif
