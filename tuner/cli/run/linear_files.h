/* What files and words say of linear attention, alone or in a layer. */
#ifndef SQA_TUNER_RUN_LINEAR_FILES_H
#define SQA_TUNER_RUN_LINEAR_FILES_H

#include "operations/operation.h"
#include "sqa_cl/linear.h"
#include "text/npy.h"

/* --feature; NULL leaves *out as it is. Errors: SQA_INVALID_ARGUMENT, with the names. */
sqa_status sqa_run_feature(const char *name, sqa_feature *out);

/* The decay that a file of so many dimensions is of; of none, there is none. */
sqa_decay sqa_run_decay(const sqa_npy *file);

/* The file's shape of a tensor in a slot of linear attention, its gradients' too: as linear.h has
 * it, without dimensions that are left out there. The count is that of the shape; nothing else is
 * set. */
sqa_npy sqa_run_linear_shape(const sqa_tensor_shape *tensor, uint32_t slot, sqa_decay decay);

#endif
