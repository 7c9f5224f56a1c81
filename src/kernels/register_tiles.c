#include "kernels/register_tiles.h"

#include <string.h>

/* Oclgrind's virtual device, which is there to check. */
static bool is_oclgrind(const sqa_device *device)
{
    return !strcmp(device->identity.runtime, "oclgrind");
}

bool sqa_vectors_can_run(const sqa_device *device, const char **why)
{
    /* Runtimes that make vectors of work-items (llvmpipe) report scalars as native. So
     * does Oclgrind, which has no speed to lose. */
    const bool vectors = device->limits.vector_width_float > 1 || is_oclgrind(device);
    if (device->strings.type == SQA_DEVICE_CPU && vectors)
        return true;
    *why = "needs a CPU device with native vectors";
    return false;
}

void sqa_source_vectors(sqa_text *out, const sqa_device *device)
{
    if (is_oclgrind(device)) /* knows no prefetching */
        sqa_text_append(out, "#define PREFETCH(p)\n");
}

void sqa_source_each(sqa_text *out, const char *name, int32_t count)
{
    sqa_text_format(out, "#define EACH_%s(M)", name);
    for (int32_t i = 0; i < count; i++)
        sqa_text_format(out, " M(%d)", (int)i);
    sqa_text_append(out, "\n");
}

void sqa_source_each_of(sqa_text *out, const char *name, int32_t count, int32_t vectors)
{
    const bool vectors_inside = vectors <= count;
    sqa_text_format(out, "#define EACH_%s(M)", name);
    for (int32_t n = 0; n < count * vectors; n++)
        sqa_text_format(out, " M(%d, %d)", (int)(vectors_inside ? n / vectors : n % count),
                        (int)(vectors_inside ? n % vectors : n / count));
    sqa_text_append(out, "\n");
}
