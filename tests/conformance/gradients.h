/* What the suites of layers and of blocks have in common: an oracle of gradients against finite
 * differences of the forward pass, and both passes against their oracles. */
#ifndef SQA_TESTS_GRADIENTS_H
#define SQA_TESTS_GRADIENTS_H

#include "conformance/suite.h"
#include "reference/host_tensors.h"

/* Of "op=OPERATION,SHAPE", where nothing is moved yet; the caller frees them. */
sqa_host_tensors tensors_of(const char *operation, const char *shape, uint64_t seed);
float *values_of(const sqa_host_tensors *tensors, uint32_t slot);

/* Inputs of the forward pass from slot `first` up to `end` that the backward pass has, too. */
void share_inputs(const sqa_host_tensors *forward, sqa_host_tensors *backward, uint32_t first,
                  uint32_t end);

/* An input that a gradient of a layer is of. */
uint32_t input_of_layer(uint32_t gradient);

/* The sum over Y times dY, from the tensors of a forward pass. */
typedef double loss_function(const sqa_host_tensors *forward, const float *dy);

/* Its slope by *x, one of their numbers. */
double slope_of(loss_function *loss, const sqa_host_tensors *forward, const float *dy, float *x);

/* The grids of an operation in one type, by whatever the stages choose; nothing may fail. */
void expect_right(const sqa_tuner_operation *operation, sqa_dtype dtype, sqa_grid_size size);
void expect_properties(const sqa_tuner_operation *operation);

/* SQA_TEST_SIZE=full */
bool is_full(void);

#endif
