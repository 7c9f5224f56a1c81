/* A child process that is talked to in lines, with a deadline on every answer.
 * Knows pipes and signals, nothing of trials. */
#ifndef SQA_TUNER_CHILD_H
#define SQA_TUNER_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sqa_cl/status.h"

#define SQA_CHILD_LINE 4096
#define SQA_CHILD_WORDS 1024
#define SQA_CHILD_MOST 16 /* waited for at once */

typedef struct sqa_child {
    pid_t pid; /* 0: none runs */
    int to, from, errors;
    char line[SQA_CHILD_LINE]; /* what came so far */
    size_t line_length;
    char words[SQA_CHILD_WORDS]; /* the end of what it said on standard error */
    size_t words_length;
} sqa_child;

#define SQA_CHILD_INIT                                                                             \
    {                                                                                              \
        .pid = 0, .to = -1, .from = -1, .errors = -1                                               \
    }

/* Starts argv[0] (searched in $PATH) in a process group of its own, so that
 * Ctrl-C on the terminal does not reach it; on Linux it dies with its parent.
 * `memory_bytes`: of data (RLIMIT_DATA) it can have at most; 0: no limit. */
sqa_status sqa_child_start(sqa_child *child, char *const argv[], uint64_t memory_bytes);

/* Sends a line. false: nobody reads any more. */
bool sqa_child_send(sqa_child *child, const char *line);

typedef enum sqa_child_answer {
    SQA_ANSWER_LINE = 0, /* a line, without its newline */
    SQA_ANSWER_LATE,     /* none before the deadline */
    SQA_ANSWER_GONE,     /* the child ended, or closed its output */
    SQA_ANSWER_TOO_LONG  /* not one of ours */
} sqa_child_answer;

/* Waits for the next line until `deadline` (seconds of sqa_clock_seconds). What
 * the child says on standard error is swallowed meanwhile, its end remembered. */
sqa_child_answer sqa_child_receive(sqa_child *child, double deadline, char line[SQA_CHILD_LINE]);

/* Waits until one of at most SQA_CHILD_MOST children has something to say, or the deadline
 * has passed; what it is tells sqa_child_receive, with a deadline of now. */
void sqa_child_wait(sqa_child *const *children, size_t count, double deadline);

/* Asks the child to end by closing its input, waits a moment, kills it if need
 * be. `ending` (may be NULL) gets how it ended: "exit status 1", "signal 11
 * (Segmentation fault)"; after a kill from here, "killed". */
void sqa_child_stop(sqa_child *child, bool at_once, char *ending, size_t size);

/* The last line it said on standard error; "" without any. */
const char *sqa_child_last_words(const sqa_child *child, char *out, size_t size);

#endif
