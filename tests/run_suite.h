/* The main of a Check executable. Without fork by default: OpenCL runtimes keep
 * threads, which a fork loses. CK_FORK=yes overrides it. */
#ifndef SQA_TESTS_RUN_SUITE_H
#define SQA_TESTS_RUN_SUITE_H

#include <check.h>
#include <stdlib.h>

static inline int sqa_run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    if (!getenv("CK_FORK"))
        srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
