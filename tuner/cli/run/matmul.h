/* sqa run --op matmul: the matrix product of a user's matrices. */
#ifndef SQA_TUNER_RUN_MATMUL_H
#define SQA_TUNER_RUN_MATMUL_H

/* Its exit status. */
int sqa_run_matmul(int argc, char **argv);

#endif
