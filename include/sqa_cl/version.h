/* The library's version, at compile time (macros) and at run time (function). */
#ifndef SQA_CL_VERSION_H
#define SQA_CL_VERSION_H

#include "export.h"

#define SQA_CL_VERSION_MAJOR 0
#define SQA_CL_VERSION_MINOR 1
#define SQA_CL_VERSION_PATCH 0
#define SQA_CL_VERSION_STRING "0.1.0"

/* One comparable number: major * 10000 + minor * 100 + patch. */
#define SQA_CL_VERSION_NUMBER                                                                      \
    (SQA_CL_VERSION_MAJOR * 10000 + SQA_CL_VERSION_MINOR * 100 + SQA_CL_VERSION_PATCH)

#ifdef __cplusplus
extern "C" {
#endif

/* The SQA_CL_VERSION_NUMBER of the library that is loaded. Never fails. */
SQA_API unsigned sqa_version_number(void);

/* "major.minor.patch" of the library that is loaded; static storage. */
SQA_API const char *sqa_version_string(void);

#ifdef __cplusplus
}
#endif

#endif
