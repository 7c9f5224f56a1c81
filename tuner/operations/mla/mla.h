/* What the tuner knows of multi-head latent attention. */
#ifndef SQA_TUNER_MLA_H
#define SQA_TUNER_MLA_H

#include "operations/tuner_operation.h"

extern const sqa_tuner_operation sqa_tuner_mla_layer;

#endif
