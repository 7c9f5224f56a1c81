/* The main of a Check executable. CK_FORK=yes or no overrides whether each test has a
 * process of its own. */
#ifndef SQA_TESTS_RUN_SUITE_H
#define SQA_TESTS_RUN_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Check writes each assertion that holds to a file, for the report of a crash. Where loops make
 * millions of them, that takes minutes; gdb says as well where a test crashed. */
#define _mark_point(file, line) ((void)(line))

static inline int sqa_run_with(SRunner *runner)
{
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* In one process: OpenCL runtimes keep threads, which a fork loses. */
static inline int sqa_run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    if (!getenv("CK_FORK"))
        srunner_set_fork_status(runner, CK_NOFORK);
    return sqa_run_with(runner);
}

/* Each test in a process of its own, which may crash and has a timeout. */
static inline int sqa_run_forked_suite(Suite *suite)
{
    return sqa_run_with(srunner_create(suite));
}

#endif
