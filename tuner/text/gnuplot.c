#include "text/gnuplot.h"

#include <ctype.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

sqa_status sqa_gnuplot_find(char out[SQA_GNUPLOT_PATH])
{
    const char *path = getenv("PATH");
    for (const char *at = path ? path : ""; *at;) {
        int length = (int)strcspn(at, ":");
        int written =
            snprintf(out, SQA_GNUPLOT_PATH, "%.*s/gnuplot", length ? length : 1, length ? at : ".");
        struct stat found;
        if (written > 0 && written < SQA_GNUPLOT_PATH && !stat(out, &found) &&
            S_ISREG(found.st_mode) && !access(out, X_OK))
            return SQA_OK;
        at += length + (at[length] == ':');
    }
    return sqa_fail(SQA_UNSUPPORTED, "gnuplot is not on the PATH; on Debian and Ubuntu the package "
                                     "is gnuplot-nox");
}

/* gnuplot reads the script as its input and writes the picture to its output, so
 * that no file name has to be spelled in its language. It warns of an encoding
 * that is not its locale's, hence a locale that is. */
static sqa_status run(const char *gnuplot, FILE *script, int picture)
{
    extern char **environ;
    char program[] = "env", locale[] = "LC_ALL=C.UTF-8", path[SQA_GNUPLOT_PATH];
    char *const words[] = {program, locale, path, NULL};
    snprintf(path, sizeof path, "%s", gnuplot);
    posix_spawn_file_actions_t actions;
    pid_t child = 0;
    int code = posix_spawn_file_actions_init(&actions);
    if (code)
        return sqa_fail_memory("the call of gnuplot");
    code = posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO);
    if (!code)
        code = posix_spawn_file_actions_adddup2(&actions, picture, STDOUT_FILENO);
    if (!code)
        code = posix_spawnp(&child, program, &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code)
        return sqa_fail(SQA_UNSUPPORTED, "%s cannot be run: %s", gnuplot, strerror(code));
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return sqa_fail(SQA_UNSUPPORTED, "gnuplot: %s", strerror(errno));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return sqa_fail(SQA_UNSUPPORTED, "gnuplot failed");
    return SQA_OK;
}

sqa_status sqa_gnuplot_run(const char *gnuplot, const char *script, int picture)
{
    FILE *file = tmpfile();
    sqa_status status = SQA_OK;
    if (!file || fputs(script, file) < 0 || fflush(file))
        status = sqa_fail(SQA_UNSUPPORTED, "the script for gnuplot: %s", strerror(errno));
    if (status == SQA_OK) {
        rewind(file);
        status = run(gnuplot, file, picture);
    }
    if (file)
        fclose(file);
    struct stat made;
    if (status == SQA_OK && (fstat(picture, &made) || made.st_size == 0))
        status = sqa_fail(SQA_UNSUPPORTED, "gnuplot drew nothing");
    return status;
}

void sqa_gnuplot_quote(sqa_text *out, const char *text)
{
    sqa_text_append(out, "'");
    for (; *text; text++)
        sqa_text_format(out, "%c%s", iscntrl((unsigned char)*text) ? ' ' : *text,
                        *text == '\'' ? "'" : "");
    sqa_text_append(out, "'");
}
