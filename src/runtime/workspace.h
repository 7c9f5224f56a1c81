/* Where the scratch of a recipe lies. */
#ifndef SQA_RUNTIME_WORKSPACE_H
#define SQA_RUNTIME_WORKSPACE_H

#include "operations/operation.h"

/* Places the scratch tensors from byte `begin` on: those of which one is needed by a stage while
 * the other is (from the first that is linked to it to the last) lie apart, others may share
 * memory. `at` gets the place of each in its elements. The byte behind all of them. */
size_t sqa_workspace_lay_out(const sqa_recipe *recipe, size_t begin, size_t at[SQA_MAX_SCRATCH]);

#endif
