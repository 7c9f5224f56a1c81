#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/draft.h"

static bool read_fully(int file, unsigned char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t got = read(file, bytes, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        size -= (size_t)got;
    }
    return true;
}

static const char *refuse(const struct stat *info, sqa_file_owner owner, size_t limit)
{
    const bool foreign = info->st_uid != geteuid() && info->st_uid != 0;
    if (!S_ISREG(info->st_mode))
        return "not a plain file";
    if (owner == SQA_FILE_OWN && (foreign || (info->st_mode & S_IWGRP)))
        return "another user's to write";
    if (info->st_mode & S_IWOTH)
        return "everybody's to write";
    return (uintmax_t)info->st_size > limit ? "too large" : NULL;
}

static sqa_file_state read_open_file(int file, sqa_file_owner owner, size_t limit, sqa_file *out)
{
    struct stat info;
    if (fstat(file, &info) != 0) {
        out->why = "cannot be examined";
        return SQA_FILE_UNREADABLE;
    }
    out->why = refuse(&info, owner, limit);
    if (out->why)
        return SQA_FILE_REFUSED;
    const size_t size = (size_t)info.st_size;
    unsigned char *bytes = malloc(size ? size : 1);
    if (!bytes || !read_fully(file, bytes, size)) {
        out->why = bytes ? "cannot be read" : "too large for the memory left";
        free(bytes);
        return SQA_FILE_UNREADABLE;
    }
    out->bytes = bytes;
    out->size = size;
    return SQA_FILE_LOADED;
}

sqa_file_state sqa_file_read(const char *path, sqa_file_owner owner, size_t limit, sqa_file *out)
{
    memset(out, 0, sizeof *out);
    /* O_NONBLOCK: a pipe put in its place must not hang us. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (file < 0) {
        if (errno == ENOENT)
            return SQA_FILE_ABSENT;
        out->why = errno == ELOOP ? "a link" : "cannot be opened";
        return errno == ELOOP ? SQA_FILE_REFUSED : SQA_FILE_UNREADABLE;
    }
    sqa_file_state state = read_open_file(file, owner, limit, out);
    close(file);
    return state;
}

static int write_fully(int file, const void *bytes, size_t size)
{
    const char *next = bytes;
    while (size > 0) {
        ssize_t put = write(file, next, size);
        if (put < 0 && errno != EINTR)
            return errno;
        if (put > 0) {
            next += put;
            size -= (size_t)put;
        }
    }
    return 0;
}

int sqa_file_write(const char *folder, const char *name, sqa_file_owner owner, const void *bytes,
                   size_t size)
{
    char path[4096];
    sqa_draft draft = SQA_DRAFT_INIT;
    const mode_t own = S_IRUSR | S_IWUSR;
    const mode_t mode = owner == SQA_FILE_OWN ? own : own | S_IRGRP | S_IROTH;
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof path)
        return ENAMETOOLONG;
    int failure = sqa_draft_begin(&draft, folder, own);
    if (!failure)
        failure = write_fully(draft.file, bytes, size);
    if (!failure && fchmod(draft.file, mode))
        failure = errno;
    if (!failure)
        failure = sqa_draft_complete(&draft);
    if (!failure)
        failure = sqa_draft_keep(&draft, path);
    sqa_draft_discard(&draft);
    return failure;
}
