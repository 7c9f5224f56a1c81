/* A compiler that refuses a program, and a device that refuses to run a kernel, as some runtimes
 * find out at the launch only. */
#ifndef SQA_TESTS_REFUSE_LAUNCH_H
#define SQA_TESTS_REFUSE_LAUNCH_H

#include <stdbool.h>

/* The next launch, or build, of a program that is linked with refuse_launch.c is refused. */
extern bool refuse_launch, refuse_build;

#endif
