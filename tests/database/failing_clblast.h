/* A CLBlast that fails when it is told to, in programs that are linked with failing_clblast.c. */
#ifndef SQA_TESTS_FAILING_CLBLAST_H
#define SQA_TESTS_FAILING_CLBLAST_H

#include <stdbool.h>

/* How many products it was asked for, and which of them, counted from 1, fails; 0: none. */
extern int clblast_calls, failing_clblast_call;

/* Whether it cannot say what workspace a product needs. */
extern bool clblast_sizes_fail;

#endif
