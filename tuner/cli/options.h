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
#include <stdio.h>

typedef struct sqa_option {
    const char *name;     /* without the dashes; NULL ends the table */
    const char *argument; /* what its value is called; NULL: a flag */
    const char *help;
    const char **text; /* where a value goes */
    bool *flag;        /* where a flag goes */
} sqa_option;

/* Reads "--name value", "--name=value" and "--flag". Given twice is an error, as
 * is anything that is no option. --help prints `summary` and the table.
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
