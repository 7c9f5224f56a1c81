/* Reads "P:D". Asks OpenCL nothing. */
#include "cli/device_option.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/status.h"

enum { SQA_MAX_INDEX = 999 };

static bool read_index(const char **at, unsigned *out)
{
    if (!isdigit((unsigned char)**at))
        return false;
    char *end;
    unsigned long value = strtoul(*at, &end, 10);
    *at = end;
    *out = (unsigned)value;
    return value <= SQA_MAX_INDEX;
}

sqa_status sqa_device_option(const char *text, unsigned *platform, unsigned *device)
{
    const char *where = "--device";
    if (!text) {
        where = "$SQA_CL_DEVICE";
        text = getenv("SQA_CL_DEVICE");
    }
    if (!text || !*text)
        text = "0:0";
    const char *at = text;
    unsigned p = 0, d = 0;
    bool sound = read_index(&at, &p) && *at++ == ':' && read_index(&at, &d) && *at == '\0';
    if (!sound)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "%s is '%s'; expected PLATFORM:DEVICE, two numbers from 0 to %d as "
                        "`sqa info` prints them, such as 0:0",
                        where, text, SQA_MAX_INDEX);
    *platform = p;
    *device = d;
    return SQA_OK;
}
