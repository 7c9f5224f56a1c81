/* What is found in the text that a program printed. */
#ifndef SQA_TESTS_FOUND_H
#define SQA_TESTS_FOUND_H

#include <stddef.h>

size_t count_of(const char *text, const char *part);

/* The number behind `key` in JSON, from `at` on; that there is none fails the test. */
double number_after(const char *at, const char *key);

#endif
