/* A command's options as a table, from which they are both read and explained. A row
 * says where its value goes, and with that what kind of value it is.
 *
 *   const char *device = NULL;
 *   uint32_t rounds = 7;
 *   bool json = false;
 *   const sqa_option options[] = {
 *       {"device", "P:D", "the device", .text = &device},
 *       {"rounds", "N", "how often (7)", .count = {&rounds, 1, 1000}},
 *       {"json", NULL, "one JSON document", .flag = &json},
 *       {0},
 *   };
 *   int code;
 *   if (!sqa_options_read(argc, argv, "what it does", options, &code))
 *       return code; */
#ifndef SQA_TUNER_OPTIONS_H
#define SQA_TUNER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sqa_cl/pattern.h"

/* The values of an option that may be given several times. */
typedef struct sqa_option_list {
    const char *items[64];
    size_t count;
} sqa_option_list;

/* Numbers between commas, each of them once. */
#define SQA_OPTION_COUNTS 16u
typedef struct sqa_option_counts {
    uint32_t items[SQA_OPTION_COUNTS];
    size_t count;
} sqa_option_counts;

/* Which real numbers an option takes. */
typedef enum sqa_option_reals { SQA_REALS_ABOVE_ZERO, SQA_REALS_BUT_ZERO } sqa_option_reals;

/* Exactly one place for the value is set. What is not given stays as it was, so that
 * a default is what stands there before. */
typedef struct sqa_option {
    const char *name;     /* without the dashes; NULL ends the table */
    const char *argument; /* what its value is called; NULL: a flag */
    const char *help;
    bool *flag;
    const char **text;
    sqa_option_list *list; /* texts of a repeatable option */
    struct {
        uint32_t *to;
        uint32_t low, high;
    } count;
    struct {
        uint64_t *to;
        uint64_t low, high;
    } number; /* a count that may be long, such as a seed */
    struct {
        sqa_option_counts *to;
        uint32_t low, high;
    } counts;
    struct {
        uint32_t *first, *second;
        uint32_t low, high;
    } pair; /* "FIRST,SECOND" */
    struct {
        float *to;
        sqa_option_reals which;
    } real;
    sqa_window *window; /* "LEFT,RIGHT", -1: no bound */
    struct {
        void *to;
        bool (*read)(const char *text, void *to); /* false: this is no such value */
        const char *expected;                     /* ends the message that says so */
    } other;                                      /* a kind of the command's own */
    bool *given; /* NULL, or where it is noted that the option was there */

    /* What it goes with, by the names of other rows, for those that are given; NULL: with
     * anything. */
    const char *needs;    /* "a,b|c": a, and one of b and c */
    const char *excludes; /* "a,b": neither of them */
    const char *only;     /* "a,b": nothing but those */
} sqa_option;

/* Reads "--name value", "--name=value" and "--flag". A value given twice is an
 * error unless the option takes a list, as is a value that is not of the option's kind,
 * an option beside those it does not go with, and anything that is no option. --help prints
 * `summary` and the table.
 * false: the command is over and returns *code. */
bool sqa_options_read(int argc, char **argv, const char *summary, const sqa_option *options,
                      int *code);

/* One line on standard error, "sqa <command>: <the library's last error>", and
 * the exit code that suits the status: usage for invalid arguments. */
int sqa_command_fail(const char *command, int status);

/* The same for a mistake in how the command was called. */
int sqa_usage_error(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
