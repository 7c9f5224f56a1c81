/* The names of a class's mask as columns of the database have them. */
#ifndef SQA_TUNER_MASK_NAMES_H
#define SQA_TUNER_MASK_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

const char *sqa_mask_name(uint32_t mask);
bool sqa_mask_from_name(const char *name, uint32_t *out);

#endif
