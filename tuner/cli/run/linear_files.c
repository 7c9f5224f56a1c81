#include "cli/run/linear_files.h"

#include <string.h>

#include "base/status.h"
#include "operations/linear/slots.h"

sqa_status sqa_run_feature(const char *name, sqa_feature *out)
{
    static const char *const names[] = {"identity", "elu1", "relu"};
    for (int i = 0; name && i < 3; i++)
        if (!strcmp(names[i], name)) {
            *out = (sqa_feature)i;
            return SQA_OK;
        }
    return name ? sqa_fail(SQA_INVALID_ARGUMENT,
                           "--feature is '%.40s'; expected identity, elu1 or relu", name)
                : SQA_OK;
}

sqa_decay sqa_run_decay(const sqa_npy *file)
{
    return file->rank == 0   ? SQA_DECAY_NONE
           : file->rank == 1 ? SQA_DECAY_HEAD
           : file->rank == 4 ? SQA_DECAY_CHANNEL
                             : SQA_DECAY_TOKEN;
}

sqa_npy sqa_run_linear_shape(const sqa_tensor_shape *tensor, uint32_t slot, sqa_decay decay)
{
    const uint64_t all[4] = {tensor->batch, tensor->heads, tensor->length, tensor->dim};
    const bool decays = slot == SQA_SLOT_DECAY || slot == SQA_SLOT_DDECAY;
    const bool head = decays && decay == SQA_DECAY_HEAD;
    const bool token =
        slot == SQA_SLOT_BETA || slot == SQA_SLOT_DBETA || (decays && decay == SQA_DECAY_TOKEN);
    const bool sums = slot == SQA_SLOT_SUMS || slot == SQA_SLOT_SUMS_IN ||
                      slot == SQA_SLOT_LINEAR_DSUMS || slot == SQA_SLOT_DSUMS_IN;
    sqa_npy file = {.count = 1};
    for (int i = head ? 3 : 0; i < (token ? 3 : 4); i++)
        if (!(sums && i == 2)) {
            file.shape[file.rank++] = all[i];
            file.count *= (size_t)all[i];
        }
    return file;
}
