#include "text/place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* As many as Linux follows. */
enum { MOST_LINKS = 40 };

static bool is_one(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int sqa_place_folder(const char *path, char out[4096])
{
    const char *slash = strrchr(path, '/');
    const int length = slash == path ? 1 : slash ? (int)(slash - path) : 1;
    const int written = snprintf(out, 4096, "%.*s", length, slash ? path : ".");
    return written < 0 || written >= 4096 ? ENAMETOOLONG : 0;
}

/* Puts what the link at `path` says in the place of `path`. */
static int follow_once(char path[4096], const char *target)
{
    char folder[4096] = "";
    if (target[0] != '/') {
        int failure = sqa_place_folder(path, folder);
        if (failure)
            return failure;
    }
    int length = snprintf(path, 4096, "%s%s%s", folder, folder[0] ? "/" : "", target);
    return length < 0 || length >= 4096 ? ENAMETOOLONG : 0;
}

/* Not realpath(), which knows no file that is not there yet. */
static int follow(char path[4096])
{
    char target[4096];
    for (int links = 0; links < MOST_LINKS; links++) {
        ssize_t length = readlink(path, target, sizeof target);
        if (length < 0)
            return errno == EINVAL || errno == ENOENT ? 0 : errno;
        if ((size_t)length == sizeof target)
            return ENAMETOOLONG;
        target[length] = '\0';
        int failure = follow_once(path, target);
        if (failure)
            return failure;
    }
    return ELOOP;
}

sqa_place sqa_place_of_stdout(void)
{
    sqa_place place = {.exists = false};
    place.exists = fstat(STDOUT_FILENO, &place.file) == 0;
    return place;
}

/* A file that standard output is, or that was removed and is only still open, is not
 * replaced: no name would lead to what is put there. */
static bool is_replaced(const sqa_place *place)
{
    struct stat found;
    sqa_place out = sqa_place_of_stdout();
    return S_ISREG(place->file.st_mode) && !(out.exists && is_one(&out.file, &place->file)) &&
           lstat(place->path, &found) == 0 && is_one(&found, &place->file);
}

int sqa_place_find(sqa_place *out, const char *name)
{
    out->exists = stat(name, &out->file) == 0;
    if (!out->exists && (errno != ENOENT || !*name))
        return errno;
    if (out->exists && S_ISDIR(out->file.st_mode))
        return EISDIR;
    int length = snprintf(out->path, sizeof out->path, "%s", name);
    if (length < 0 || (size_t)length >= sizeof out->path)
        return ENAMETOOLONG;
    int failure = follow(out->path);
    if (out->exists && (failure || !is_replaced(out)))
        out->path[0] = '\0';
    return out->exists ? 0 : failure;
}

int sqa_place_check(const sqa_place *place, const char *name)
{
    char folder[4096];
    int failure = place->path[0] ? sqa_place_folder(place->path, folder) : 0;
    if (failure)
        return failure;
    if ((place->path[0] && access(folder, W_OK | X_OK)) || (place->exists && access(name, W_OK)))
        return errno;
    return 0;
}

/* Neither is there yet: they are one if they have one name in one folder. */
static bool will_be_one(const sqa_place *a, const sqa_place *b)
{
    char folder_a[4096], folder_b[4096];
    struct stat first, second;
    const char *name_a = strrchr(a->path, '/'), *name_b = strrchr(b->path, '/');
    return !strcmp(name_a ? name_a + 1 : a->path, name_b ? name_b + 1 : b->path) &&
           sqa_place_folder(a->path, folder_a) == 0 && sqa_place_folder(b->path, folder_b) == 0 &&
           stat(folder_a, &first) == 0 && stat(folder_b, &second) == 0 && is_one(&first, &second);
}

bool sqa_place_is_same(const sqa_place *a, const sqa_place *b)
{
    if (a->exists && b->exists)
        return is_one(&a->file, &b->file) && !S_ISCHR(a->file.st_mode);
    return !a->exists && !b->exists && a->path[0] && b->path[0] && will_be_one(a, b);
}
