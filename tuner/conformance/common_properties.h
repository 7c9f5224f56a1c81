/* Properties that hold for every operation: the same thing done twice, and what lies around
 * the tensors. */
#ifndef SQA_TUNER_COMMON_PROPERTIES_H
#define SQA_TUNER_COMMON_PROPERTIES_H

#include "operations/tuner_operation.h"

/* Makes a plan for the tensors' problem and runs it on them. */
sqa_status sqa_property_execute(const sqa_property_run *run, sqa_host_tensors *tensors,
                                char finding[SQA_FINDING_TEXT]);

/* Holds every row against the reference. */
sqa_status sqa_property_compare(const sqa_property_run *run, sqa_host_tensors *tensors,
                                char finding[SQA_FINDING_TEXT]);

/* Runs, and compares. */
sqa_status sqa_property_judge(const sqa_property_run *run, sqa_host_tensors *tensors,
                              char finding[SQA_FINDING_TEXT]);

/* Row i becomes the unit vector i, so that a sum of rows shows which are in it. */
void sqa_tell_rows_apart(sqa_host_tensor *tensor);

/* Two runs of a plan, and of two plans, give the same bits. */
sqa_property_check sqa_property_determinism;

/* What lies between and beyond the vectors of inputs changes no bit. */
sqa_property_check sqa_property_gap_values;

#endif
