/* sqa run --op merge: two parts of attention from a user's files into one. */
#ifndef SQA_TUNER_RUN_MERGE_H
#define SQA_TUNER_RUN_MERGE_H

/* Its exit status. */
int sqa_run_merge(int argc, char **argv);

#endif
