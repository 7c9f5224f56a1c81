/* The child side of a trial: reads requests, tries, answers (trial/protocol.h).
 * It alone meets kernels nobody has run before, so it may hang or die; whoever
 * started it (trial/runner.h) expects that. */
#ifndef SQA_TUNER_WORKER_H
#define SQA_TUNER_WORKER_H

#include "base/status.h"

/* Serves requests from standard input until it ends; answers go to what was the
 * standard output. `timeout_s`: a request that takes clearly longer ends the
 * process, should nobody be left to end it. `programs`: the folder that what was compiled is
 * kept in for other workers of the run; "": none. A device that cannot be opened is
 * answered, too. */
sqa_status sqa_worker_serve(unsigned platform, unsigned device, unsigned timeout_s,
                            const char *programs);

#endif
