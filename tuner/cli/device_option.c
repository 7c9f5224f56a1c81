/* Reads "P:D". Asks OpenCL nothing. */
#include "cli/device_option.h"

#include <stdlib.h>

#include "base/number.h"
#include "base/status.h"

enum { SQA_MAX_INDEX = 999 };

sqa_status sqa_device_option(const char *text, unsigned *platform, unsigned *device)
{
    const char *where = "--device";
    if (!text) {
        where = "$SQA_CL_DEVICE";
        text = getenv("SQA_CL_DEVICE");
    }
    if (!text || !*text)
        text = "0:0";
    if (!sqa_read_pair(text, ':', 0, SQA_MAX_INDEX, platform, device))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "%s is '%s'; expected PLATFORM:DEVICE, two numbers from 0 to %d as "
                        "`sqa info` prints them, such as 0:0",
                        where, text, SQA_MAX_INDEX);
    return SQA_OK;
}
