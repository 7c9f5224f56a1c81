#include "text/gnuplot.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
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
static sqa_status start(const char *gnuplot, FILE *script, int picture, pid_t *child)
{
    extern char **environ;
    char program[] = "env", locale[] = "LC_ALL=C.UTF-8", path[SQA_GNUPLOT_PATH];
    char *const words[] = {program, locale, path, NULL};
    snprintf(path, sizeof path, "%s", gnuplot);
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);
    if (code)
        return sqa_fail_memory("the call of gnuplot");
    code = posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO);
    if (!code)
        code = posix_spawn_file_actions_adddup2(&actions, picture, STDOUT_FILENO);
    if (!code)
        code = posix_spawnp(child, program, &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    return code ? sqa_fail(SQA_UNSUPPORTED, "%s cannot be run: %s", gnuplot, strerror(code))
                : SQA_OK;
}

static sqa_status await(pid_t child)
{
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return sqa_fail(SQA_UNSUPPORTED, "gnuplot: %s", strerror(errno));
    return WIFEXITED(status) && WEXITSTATUS(status) == 0
               ? SQA_OK
               : sqa_fail(SQA_UNSUPPORTED, "gnuplot failed");
}

/* By a pipe: gnuplot does not look whether a disk took all of its picture. */
static sqa_status run(const char *gnuplot, FILE *script, FILE *out)
{
    int ends[2];
    char bytes[4096];
    pid_t child = 0;
    if (pipe(ends))
        return sqa_fail(SQA_UNSUPPORTED, "a pipe from gnuplot: %s", strerror(errno));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    sqa_status status = start(gnuplot, script, ends[1], &child);
    close(ends[1]);
    for (ssize_t got = 1; status == SQA_OK && got != 0;) {
        got = read(ends[0], bytes, sizeof bytes);
        if (got > 0)
            fwrite(bytes, 1, (size_t)got, out);
        else if (got < 0 && errno != EINTR)
            break;
    }
    close(ends[0]);
    return status == SQA_OK ? await(child) : status;
}

/* `script` in a file, which needs no second pipe to be served. */
static sqa_status run_script(const char *gnuplot, const char *script, FILE *out)
{
    FILE *file = tmpfile();
    sqa_status status = SQA_OK;
    if (!file || fputs(script, file) < 0 || fflush(file))
        status = sqa_fail(SQA_UNSUPPORTED, "the script for gnuplot: %s", strerror(errno));
    if (status == SQA_OK) {
        rewind(file);
        status = run(gnuplot, file, out);
    }
    if (file)
        fclose(file);
    return status;
}

sqa_status sqa_gnuplot_draw(const char *gnuplot, const char *script, sqa_picture *out)
{
    *out = (sqa_picture){NULL, 0};
    FILE *memory = open_memstream(&out->bytes, &out->size);
    if (!memory)
        return sqa_fail_memory("a picture");
    sqa_status status = run_script(gnuplot, script, memory);
    if ((ferror(memory) | fclose(memory)) && status == SQA_OK)
        status = sqa_fail_memory("a picture");
    if (status == SQA_OK && !out->size)
        status = sqa_fail(SQA_UNSUPPORTED, "gnuplot drew nothing");
    if (status != SQA_OK) {
        free(out->bytes);
        *out = (sqa_picture){NULL, 0};
    }
    return status;
}

sqa_range sqa_range_of_rate(double rate, double spread)
{
    /* Times end at 0: a spread of twice the median says nothing. */
    const double half = spread >= 0.0 && spread < 2.0 ? spread / 2 : 0.0;
    return (sqa_range){rate / (1 + half), rate / (1 - half)};
}

void sqa_gnuplot_quote(sqa_text *out, const char *text)
{
    sqa_text_append(out, "'");
    for (; *text; text++)
        sqa_text_format(out, "%c%s", iscntrl((unsigned char)*text) ? ' ' : *text,
                        *text == '\'' ? "'" : "");
    sqa_text_append(out, "'");
}
