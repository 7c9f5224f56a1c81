/* See bench_plot.h. */
#include "cli/bench_plot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/status.h"
#include "base/text.h"
#include "cli/bench_script.h"

static sqa_status take_name(sqa_bench_plot *plot, const char *file)
{
    size_t length = strlen(file);
    const char *suffix = length > 4 ? file + length - 4 : "";
    plot->svg = !strcasecmp(suffix, ".svg");
    if (!plot->svg && strcasecmp(suffix, ".png") != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--plot is '%s'; expected a name in .png or .svg",
                        file);
    if (length >= sizeof plot->file)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--plot takes a name of at most %zu characters",
                        sizeof plot->file - 1);
    memcpy(plot->file, file, length + 1);
    snprintf(plot->part, sizeof plot->part, "%s.part", file);
    return SQA_OK;
}

static sqa_status find_gnuplot(sqa_bench_plot *plot)
{
    const char *path = getenv("PATH");
    for (const char *at = path ? path : ""; *at;) {
        int length = (int)strcspn(at, ":");
        int written = snprintf(plot->gnuplot, sizeof plot->gnuplot, "%.*s/gnuplot",
                               length ? length : 1, length ? at : ".");
        struct stat found;
        if (written > 0 && (size_t)written < sizeof plot->gnuplot && !stat(plot->gnuplot, &found) &&
            S_ISREG(found.st_mode) && !access(plot->gnuplot, X_OK))
            return SQA_OK;
        at += length + (at[length] == ':');
    }
    return sqa_fail(SQA_UNSUPPORTED, "--plot needs gnuplot, which is not on the PATH; on Debian "
                                     "and Ubuntu the package is gnuplot-nox");
}

sqa_status sqa_bench_plot_open(sqa_bench_plot *plot, const char *file)
{
    memset(plot, 0, sizeof *plot);
    sqa_status status = take_name(plot, file);
    if (status == SQA_OK)
        status = find_gnuplot(plot);
    if (status != SQA_OK)
        return status;
    int made = open(plot->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (made < 0)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--plot: %s cannot be written: %s", plot->file,
                        strerror(errno));
    close(made);
    unlink(plot->part); /* it can be made, and is when there is something to draw */
    return SQA_OK;
}

/* gnuplot reads the script as its input and writes the picture to its output, so
 * that no file name has to be spelled in its language. It warns of an encoding
 * that is not its locale's, hence a locale that is. */
static sqa_status run_gnuplot(const sqa_bench_plot *plot, FILE *script, int picture)
{
    extern char **environ;
    char program[] = "env", locale[] = "LC_ALL=C.UTF-8", gnuplot[sizeof plot->gnuplot];
    char *const words[] = {program, locale, gnuplot, NULL};
    snprintf(gnuplot, sizeof gnuplot, "%s", plot->gnuplot);
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
        return sqa_fail(SQA_UNSUPPORTED, "%s cannot be run: %s", plot->gnuplot, strerror(code));
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return sqa_fail(SQA_UNSUPPORTED, "gnuplot: %s", strerror(errno));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return sqa_fail(SQA_UNSUPPORTED, "gnuplot failed, and drew no %s", plot->file);
    return SQA_OK;
}

static sqa_status draw(const sqa_bench_plot *plot, const char *text)
{
    FILE *script = tmpfile();
    int picture = open(plot->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    sqa_status status = SQA_OK;
    if (!script || picture < 0 || fputs(text, script) < 0 || fflush(script))
        status = sqa_fail(SQA_UNSUPPORTED, "--plot: %s: %s", plot->part, strerror(errno));
    if (status == SQA_OK) {
        rewind(script);
        status = run_gnuplot(plot, script, picture);
    }
    if (script)
        fclose(script);
    struct stat made;
    if (status == SQA_OK && (fstat(picture, &made) || made.st_size == 0))
        status = sqa_fail(SQA_UNSUPPORTED, "gnuplot drew nothing into %s", plot->part);
    if (picture >= 0)
        close(picture);
    return status;
}

sqa_status sqa_bench_plot_draw(const sqa_bench_plot *plot, const sqa_bench_view *view)
{
    sqa_text text = SQA_TEXT_INIT;
    sqa_bench_script(view, plot->svg, &text);
    sqa_status status = sqa_text_status(&text);
    if (status == SQA_OK)
        status = draw(plot, sqa_text_get(&text));
    sqa_text_free(&text);
    if (status == SQA_OK && rename(plot->part, plot->file))
        status =
            sqa_fail(SQA_UNSUPPORTED, "--plot: cannot write %s: %s", plot->file, strerror(errno));
    if (status != SQA_OK)
        unlink(plot->part);
    return status;
}
