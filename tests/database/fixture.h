/* What the database suites share: a folder of their own, a device that exists only
 * on paper, trials as they would have been measured on it. */
#ifndef SQA_TESTS_DATABASE_FIXTURE_H
#define SQA_TESTS_DATABASE_FIXTURE_H

#include <check.h>
#include <stdint.h>
#include <stdio.h>

#include "base/log.h"
#include "kernels/registry.h"
#include "store/store.h"

/* Makes a fresh folder, and removes it with what is in it; for checked fixtures. */
void fixture_setup(void);
void fixture_teardown(void);

/* A file in that folder; the text lives until the next call but three. */
const char *fixture_path(const char *name);

sqa_device fixture_device(void);

/* A problem the trials are about: 8 heads, `length` queries and keys, dim 64. */
sqa_problem fixture_problem(uint32_t length);

/* A record of the naive family's default for `problem`, timed at `median_ms`. Its
 * parts are static and change with the next call. */
sqa_trial_record fixture_record(int64_t environment, const sqa_problem *problem, double median_ms);

/* Opens or makes the store at `path`, or fails the test. */
sqa_store *fixture_open(const char *path);

/* Adds `count` trials to a store at `path`: 10 ms, 9 ms, ... each; the last id. */
int64_t fixture_fill(const char *path, int count);

/* Number a query gives on the file at `path`. */
int64_t fixture_number(const char *path, const char *sql);

/* Text a query gives there, which the caller frees. */
char *fixture_text(const char *path, const char *sql);

/* Runs SQL on the file, whatever it says. */
void fixture_run(const char *path, const char *sql);

/* A whole file as text, which the caller frees. */
char *fixture_read(const char *path);

/* What tables, columns, indices and views the file has, one a line, in a stable order;
 * the caller frees it. */
char *fixture_schema(const char *path);

/* Overwrites the file with these bytes. */
void fixture_write(const char *path, const void *bytes, size_t size);

/* Runs tests, each in a process and a folder of its own, as a suite's main;
 * `seconds` for one test at most. */
int fixture_main(const char *suite, const char *name, double seconds,
                 const TTest *const *const *tests, size_t count);

/* A log that counts and keeps the last message of each level. */
typedef struct fixture_log {
    int count[4];
    char last[4][4096];
} fixture_log;
sqa_log fixture_listen(fixture_log *log);

#endif
