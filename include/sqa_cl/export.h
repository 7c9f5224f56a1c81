/* SQA_API marks what the shared library exports; everything else is hidden.
 * SQA_CL_STATIC (set by the CMake target sqa_cl::sqa_cl_static) turns the
 * import declarations off on Windows. */
#ifndef SQA_CL_EXPORT_H
#define SQA_CL_EXPORT_H

#if defined(_WIN32) && !defined(SQA_CL_STATIC)
#ifdef SQA_CL_BUILDING
#define SQA_API __declspec(dllexport)
#else
#define SQA_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define SQA_API __attribute__((visibility("default")))
#else
#define SQA_API
#endif

/* The OpenCL level the interface needs; define it yourself for a later one. */
#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif

#ifdef __APPLE__
#include <OpenCL/opencl.h>
#else
#include <CL/cl.h>
#endif

#endif
