/* Block selection as the tuner knows it. */
#ifndef SQA_TUNER_SELECT_BLOCKS_H
#define SQA_TUNER_SELECT_BLOCKS_H

#include "operations/tuner_operation.h"

extern const sqa_tuner_operation sqa_tuner_select_blocks;

#endif
