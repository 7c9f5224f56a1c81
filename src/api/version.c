#include "sqa_cl/version.h"

unsigned sqa_version_number(void)
{
    return SQA_CL_VERSION_NUMBER;
}

const char *sqa_version_string(void)
{
    return SQA_CL_VERSION_STRING;
}
