#include "cli/program.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

char work_folder[64];
unsigned file_limit;

enum { MAX_WORDS = 64 };

static void redirect(const char *name, int descriptor)
{
    int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || dup2(file, descriptor) < 0)
        _exit(126);
}

static void limit_files(void)
{
    const struct rlimit limit = {file_limit, file_limit};
    if (file_limit && (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit)))
        _exit(126);
}

static void keep_file(const char *name, char out[SQA_KEPT_OUTPUT])
{
    FILE *file = fopen(name, "rb");
    ck_assert_ptr_nonnull(file);
    size_t length = fread(out, 1, SQA_KEPT_OUTPUT - 1, file);
    out[length] = '\0';
    fclose(file);
    unlink(name);
}

static void split(char *text, char *words[MAX_WORDS])
{
    size_t count = 0;
    words[count++] = SQA_PROGRAM;
    for (char *word = text; word && *word; word = strchr(word, ' ')) {
        if (word != text)
            *word++ = '\0';
        ck_assert_uint_lt(count, MAX_WORDS - 1);
        words[count++] = word;
    }
    words[count] = NULL;
}

const program_result *run_sqa(const char *arguments, ...)
{
    static program_result result;
    char text[8192], out[128], err[128], *words[MAX_WORDS];
    va_list list;
    va_start(list, arguments);
    vsnprintf(text, sizeof text, arguments, list);
    va_end(list);
    split(text, words);
    snprintf(out, sizeof out, "%s/.out", work_folder);
    snprintf(err, sizeof err, "%s/.err", work_folder);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        redirect(out, STDOUT_FILENO);
        redirect(err, STDERR_FILENO);
        limit_files();
        execv(words[0], words);
        _exit(127);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    keep_file(out, result.out);
    keep_file(err, result.err);
    return &result;
}

void work_folder_set_up(void)
{
    snprintf(work_folder, sizeof work_folder, "/tmp/sqa_cli_XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(work_folder));
    char database[128];
    snprintf(database, sizeof database, "%s/tuning.db", work_folder);
    setenv("SQA_CL_DB", database, 1);
    unsetenv("SQA_CL_DEVICE");
    unsetenv("SQA_CL_LOG");
}

void work_folder_tear_down(void)
{
    DIR *folder = opendir(work_folder);
    ck_assert_ptr_nonnull(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", work_folder, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            (void)(unlink(path) == 0 || rmdir(path) == 0);
    }
    closedir(folder);
    rmdir(work_folder);
}

static char vendors[512]; /* "": the variable was not set */

void leave_platforms(void)
{
    const char *kept = getenv("OCL_ICD_VENDORS");
    snprintf(vendors, sizeof vendors, "%s", kept ? kept : "");
    setenv("OCL_ICD_VENDORS", work_folder, 1);
}

void return_to_platforms(void)
{
    if (vendors[0])
        setenv("OCL_ICD_VENDORS", vendors, 1);
    else
        unsetenv("OCL_ICD_VENDORS");
}
