/* sqa run --op linear: linear attention on a user's tensors. */
#ifndef SQA_TUNER_RUN_LINEAR_H
#define SQA_TUNER_RUN_LINEAR_H

/* Its exit status. */
int sqa_run_linear(int argc, char **argv);

#endif
