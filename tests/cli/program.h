/* Runs the `sqa` program as a user does and keeps what it said. */
#ifndef SQA_TESTS_PROGRAM_H
#define SQA_TESTS_PROGRAM_H

#define SQA_KEPT_OUTPUT 65536

typedef struct program_result {
    int code; /* exit status; -1 when a signal ended it */
    char out[SQA_KEPT_OUTPUT];
    char err[SQA_KEPT_OUTPUT];
} program_result;

/* `arguments` are words separated by single blanks; a NULL-terminated list would
 * say the same less readably. The result lives until the next call. */
const program_result *run_sqa(const char *arguments, ...) __attribute__((format(printf, 1, 2)));

/* The longest file that it may write, in bytes, which stands for a full disk; 0: any. */
extern unsigned file_limit;

/* A folder of the test's own, made before each test and removed, with all that is
 * in it, after. */
extern char work_folder[64];
void work_folder_set_up(void);
void work_folder_tear_down(void);

/* From here on OpenCL has no platform; and has those again that it had. */
void leave_platforms(void);
void return_to_platforms(void);

#endif
