/* A command's options as a table, from which they are both read and explained.
 *
 *   const char *device = NULL;
 *   bool json = false;
 *   const sqa_option options[] = {
 *       {"device", "P:D", "the device", .text = &device},
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
#include <stdio.h>

/* The values of an option that may be given several times. */
typedef struct sqa_option_list {
    const char *items[64];
    size_t count;
} sqa_option_list;

typedef struct sqa_option {
    const char *name;     /* without the dashes; NULL ends the table */
    const char *argument; /* what its value is called; NULL: a flag */
    const char *help;
    const char **text;     /* where a value goes */
    bool *flag;            /* where a flag goes */
    sqa_option_list *list; /* where the values of a repeatable option go */
} sqa_option;

/* Reads "--name value", "--name=value" and "--flag". A value given twice is an
 * error unless the option takes a list, as is anything that is no option. --help prints `summary`
 * and the table. false: the command is over and returns *code. */
bool sqa_options_read(int argc, char **argv, const char *summary, const sqa_option *options,
                      int *code);

/* One line on standard error, "sqa <command>: <the library's last error>", and
 * the exit code that suits the status: usage for invalid arguments. */
int sqa_command_fail(const char *command, int status);

/* The same for a mistake in how the command was called. */
int sqa_usage_error(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
