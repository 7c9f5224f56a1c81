/* A subcommand of `sqa`. Each lives in a file of its own, command_<name>.c, and
 * is a row of the table in main.c. */
#ifndef SQA_TUNER_COMMAND_H
#define SQA_TUNER_COMMAND_H

/* What a command returns, and `sqa` exits with. */
enum { SQA_EXIT_OK = 0, SQA_EXIT_FAILED = 1, SQA_EXIT_USAGE = 2 };

/* argv[0] is the subcommand's name. Results go to standard output, everything
 * else to standard error. */
int sqa_command_info(int argc, char **argv);
int sqa_command_run(int argc, char **argv);
int sqa_command_tune(int argc, char **argv);
int sqa_command_db(int argc, char **argv);
int sqa_command_verify(int argc, char **argv);
int sqa_command_source(int argc, char **argv);
int sqa_command_bench(int argc, char **argv);
int sqa_command_report(int argc, char **argv);
int sqa_command_capture(int argc, char **argv);

/* Hidden: the child process that `sqa tune` runs trials in. */
int sqa_command_trial_worker(int argc, char **argv);

#endif
