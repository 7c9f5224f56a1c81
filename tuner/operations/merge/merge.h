/* Merging parts of attention as the tuner knows it. */
#ifndef SQA_TUNER_MERGE_H
#define SQA_TUNER_MERGE_H

#include "operations/tuner_operation.h"

extern const sqa_tuner_operation sqa_tuner_merge;

#endif
