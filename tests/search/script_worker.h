/* Workers made of shell commands, for what the tuner does with those that misbehave; one at
 * a time in a process. */
#ifndef SQA_TESTS_SCRIPT_WORKER_H
#define SQA_TESTS_SCRIPT_WORKER_H

#include "trial/protocol.h"

/* The script of the current worker: what a runner starts. */
extern char worker_path[64];

/* Makes the script that runs `body`; remove_worker() takes it away. */
void write_worker(const char *body);
void remove_worker(void);

/* A request for one made-up configuration, as a worker gets them. */
sqa_request a_request(sqa_request_kind kind);

#endif
