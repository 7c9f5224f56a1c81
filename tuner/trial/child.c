/* See child.h. */
#ifdef __linux__
#define _GNU_SOURCE /* prctl and strsignal */
#endif
#include "trial/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "base/status.h"
#include "trial/measure.h"

#define STOP_SECONDS 1.0 /* for a child to end by itself */

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void close_pairs(int pairs[3][2])
{
    for (int i = 0; i < 3; i++) {
        close_end(&pairs[i][0]);
        close_end(&pairs[i][1]);
    }
}

/* None of the ends may leak into a child but as its standard streams. */
static sqa_status open_pairs(int pairs[3][2])
{
    for (int i = 0; i < 3; i++)
        pairs[i][0] = pairs[i][1] = -1;
    for (int i = 0; i < 3; i++)
        if (pipe(pairs[i]) || fcntl(pairs[i][0], F_SETFD, FD_CLOEXEC) < 0 ||
            fcntl(pairs[i][1], F_SETFD, FD_CLOEXEC) < 0) {
            int code = errno;
            close_pairs(pairs);
            return sqa_fail(SQA_OPENCL_ERROR, "no pipe to a trial worker: %s", strerror(code));
        }
    return SQA_OK;
}

/* In the child, between fork and exec: nothing but system calls. */
static void become(char *const argv[], int pairs[3][2], uint64_t memory_bytes)
{
    const struct rlimit memory = {(rlim_t)memory_bytes, (rlim_t)memory_bytes};
    if (memory_bytes && setrlimit(RLIMIT_DATA, &memory))
        _exit(126);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    if (dup2(pairs[0][0], STDIN_FILENO) >= 0 && dup2(pairs[1][1], STDOUT_FILENO) >= 0 &&
        dup2(pairs[2][1], STDERR_FILENO) >= 0)
        execvp(argv[0], argv);
    _exit(127);
}

sqa_status sqa_child_start(sqa_child *child, char *const argv[], uint64_t memory_bytes)
{
    int pairs[3][2]; /* standard input, output, error */
    sqa_status status = open_pairs(pairs);
    if (status != SQA_OK)
        return status;
    pid_t pid = fork();
    if (pid < 0) {
        int code = errno;
        close_pairs(pairs);
        return sqa_fail(SQA_OPENCL_ERROR, "no process for a trial worker: %s", strerror(code));
    }
    if (pid == 0)
        become(argv, pairs, memory_bytes);
    *child = (sqa_child)SQA_CHILD_INIT;
    child->pid = pid;
    child->to = pairs[0][1];
    child->from = pairs[1][0];
    child->errors = pairs[2][0];
    pairs[0][1] = pairs[1][0] = pairs[2][0] = -1;
    close_pairs(pairs);
    return SQA_OK;
}

bool sqa_child_send(sqa_child *child, const char *line)
{
    size_t left = strlen(line);
    while (left) {
        ssize_t sent = write(child->to, line, left);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        line += sent;
        left -= (size_t)sent;
    }
    return true;
}

/* Keeps the end of what was said. */
static void remember(sqa_child *child, const char *said, size_t length)
{
    if (length > SQA_CHILD_WORDS) {
        said += length - SQA_CHILD_WORDS;
        length = SQA_CHILD_WORDS;
    }
    size_t room = SQA_CHILD_WORDS - child->words_length;
    size_t forget = length > room ? length - room : 0;
    memmove(child->words, child->words + forget, child->words_length - forget);
    child->words_length -= forget;
    memcpy(child->words + child->words_length, said, length);
    child->words_length += length;
}

static void read_errors(sqa_child *child)
{
    char said[1024];
    ssize_t length = read(child->errors, said, sizeof said);
    if (length > 0)
        remember(child, said, (size_t)length);
    else if (length == 0 || errno != EINTR)
        close_end(&child->errors);
}

/* Hands out the first complete line of what came. */
static bool take_line(sqa_child *child, char line[SQA_CHILD_LINE])
{
    char *end = memchr(child->line, '\n', child->line_length);
    if (!end)
        return false;
    size_t length = (size_t)(end - child->line);
    memcpy(line, child->line, length);
    line[length] = '\0';
    child->line_length -= length + 1;
    memmove(child->line, end + 1, child->line_length);
    return true;
}

/* false: the output ended. */
static bool read_output(sqa_child *child)
{
    ssize_t length =
        read(child->from, child->line + child->line_length, SQA_CHILD_LINE - child->line_length);
    if (length > 0)
        child->line_length += (size_t)length;
    return length > 0 || (length < 0 && errno == EINTR);
}

/* For poll: milliseconds until then, a minute at most. */
static int milliseconds_to(double deadline)
{
    const double left = deadline - sqa_clock_seconds();
    return left > 60 ? 60000 : left > 0 ? (int)(left * 1e3) + 1 : 0;
}

sqa_child_answer sqa_child_receive(sqa_child *child, double deadline, char line[SQA_CHILD_LINE])
{
    while (!take_line(child, line)) {
        if (child->line_length == SQA_CHILD_LINE)
            return SQA_ANSWER_TOO_LONG;
        struct pollfd ends[2] = {{child->from, POLLIN, 0}, {child->errors, POLLIN, 0}};
        int ready = poll(ends, 2, milliseconds_to(deadline));
        if (ready < 0 && errno != EINTR)
            return SQA_ANSWER_GONE;
        if (sqa_clock_seconds() >= deadline && (ready <= 0 || !ends[0].revents)) {
            if (ready > 0)
                read_errors(child);
            return SQA_ANSWER_LATE;
        }
        if (ready <= 0)
            continue;
        if (ends[1].revents)
            read_errors(child);
        if (ends[0].revents && !read_output(child))
            return SQA_ANSWER_GONE;
    }
    return SQA_ANSWER_LINE;
}

void sqa_child_wait(sqa_child *const *children, size_t count, double deadline)
{
    struct pollfd ends[2 * SQA_CHILD_MOST];
    assert(count <= SQA_CHILD_MOST);
    for (size_t i = 0; i < count; i++) {
        ends[2 * i] = (struct pollfd){children[i]->from, POLLIN, 0};
        ends[2 * i + 1] = (struct pollfd){children[i]->errors, POLLIN, 0};
    }
    poll(ends, 2 * (nfds_t)count, milliseconds_to(deadline));
}

static void describe(int status, bool killed, char *ending, size_t size)
{
    if (!ending)
        return;
    if (killed)
        snprintf(ending, size, "killed");
    else if (WIFSIGNALED(status))
        snprintf(ending, size, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        snprintf(ending, size, "exit status %d", WEXITSTATUS(status));
}

/* Waits until the child has ended or the time is over. */
static bool has_ended(sqa_child *child, double deadline, int *status)
{
    const struct timespec nap = {0, 2000000};
    for (;;) {
        pid_t ended = waitpid(child->pid, status, WNOHANG);
        if (ended == child->pid || (ended < 0 && errno == ECHILD))
            return true;
        if (sqa_clock_seconds() >= deadline)
            return false;
        nanosleep(&nap, NULL);
    }
}

void sqa_child_stop(sqa_child *child, bool at_once, char *ending, size_t size)
{
    if (!child->pid)
        return;
    int status = 0;
    bool killed = false;
    close_end(&child->to);
    if (at_once || !has_ended(child, sqa_clock_seconds() + STOP_SECONDS, &status)) {
        killed = true;
        kill(-child->pid, SIGKILL); /* with whatever compiler it may have started */
        kill(child->pid, SIGKILL);
        while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    describe(status, killed, ending, size);
    close_end(&child->from);
    close_end(&child->errors);
    child->pid = 0;
    child->line_length = 0;
}

const char *sqa_child_last_words(const sqa_child *child, char *out, size_t size)
{
    size_t end = child->words_length;
    while (end && (child->words[end - 1] == '\n' || child->words[end - 1] == ' '))
        end--;
    size_t begin = end;
    while (begin && child->words[begin - 1] != '\n')
        begin--;
    snprintf(out, size, "%.*s", (int)(end - begin), child->words + begin);
    return out;
}
