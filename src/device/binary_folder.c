#include "device/binary_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/draft.h"
#include "device/binary_file.h"

/* No writer takes so long: its draft was left behind. */
enum { ABANDONED_SECONDS = 3600 };

enum { NAME_LENGTH = SQA_HASH_TEXT - 1 + sizeof SQA_BINARY_SUFFIX - 1 };

typedef struct file {
    char name[NAME_LENGTH + 1];
    uint64_t bytes;
    struct timespec used;
} file;

typedef struct listing {
    file *files;
    size_t count, capacity;
    uint64_t bytes;
} listing;

static bool join(const char *base, const char *tail, char *out, size_t size)
{
    int length = snprintf(out, size, "%s%s", base, tail);
    return length > 0 && (size_t)length < size;
}

bool sqa_binary_folder_path(const char *chosen, char *out, size_t size)
{
    const char *cache = getenv("SQA_CL_CACHE"), *xdg = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    bool found = false;
    if (chosen)
        found = chosen[0] && join(chosen, "", out, size);
    else if (cache)
        found = cache[0] && strcmp(cache, "off") != 0 && join(cache, "", out, size);
    else if (xdg && xdg[0] == '/') /* a relative one is to be ignored, says its specification */
        found = join(xdg, "/sqa_cl", out, size);
    else if (home && home[0])
        found = join(home, "/.cache/sqa_cl", out, size);
    if (!found)
        out[0] = '\0';
    return found;
}

int sqa_binary_folder_make(const char *folder)
{
    char path[4096];
    if (!join(folder, "", path, sizeof path))
        return ENAMETOOLONG;
    if (mkdir(path, S_IRWXU) == 0 || errno == EEXIST)
        return 0;
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
            return errno;
        *slash = '/';
    }
    return mkdir(path, S_IRWXU) == 0 || errno == EEXIST ? 0 : errno;
}

static bool is_entry(const char *name)
{
    const size_t digits = SQA_HASH_TEXT - 1;
    return strlen(name) == NAME_LENGTH && strspn(name, "0123456789abcdef") == digits &&
           !strcmp(name + digits, SQA_BINARY_SUFFIX);
}

static bool is_abandoned(const char *name, const struct stat *info)
{
    return !strncmp(name, SQA_DRAFT_PREFIX, sizeof SQA_DRAFT_PREFIX - 1) &&
           time(NULL) - info->st_mtime > ABANDONED_SECONDS;
}

static bool add_file(listing *list, const char *name, const struct stat *info)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 64;
        file *grown = realloc(list->files, capacity * sizeof *grown);
        if (!grown)
            return false;
        list->files = grown;
        list->capacity = capacity;
    }
    file *added = &list->files[list->count++];
    snprintf(added->name, sizeof added->name, "%s", name);
    added->bytes = (uint64_t)info->st_size;
    added->used = info->st_mtim;
    list->bytes += added->bytes;
    return true;
}

/* The caller closes *out and frees list->files. 0, or an errno. */
static int list_folder(const char *folder, DIR **out, listing *list, bool remove_abandoned)
{
    memset(list, 0, sizeof *list);
    *out = opendir(folder);
    if (!*out)
        return errno;
    for (struct dirent *item; (item = readdir(*out));) {
        struct stat info;
        if (fstatat(dirfd(*out), item->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(info.st_mode))
            continue;
        if (is_entry(item->d_name)) {
            if (!add_file(list, item->d_name, &info))
                return ENOMEM;
        } else if (remove_abandoned && is_abandoned(item->d_name, &info)) {
            unlinkat(dirfd(*out), item->d_name, 0);
        }
    }
    return 0;
}

static void close_listing(DIR *directory, listing *list)
{
    if (directory)
        closedir(directory);
    free(list->files);
}

int sqa_binary_folder_usage(const char *folder, sqa_binary_usage *out)
{
    DIR *directory = NULL;
    listing list;
    int failure = list_folder(folder, &directory, &list, false);
    *out = (sqa_binary_usage){list.count, list.bytes};
    close_listing(directory, &list);
    return failure == ENOENT ? 0 : failure;
}

static int oldest_first(const void *a, const void *b)
{
    const struct timespec *x = &((const file *)a)->used, *y = &((const file *)b)->used;
    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? -1 : 1;
    return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

void sqa_binary_folder_trim(const char *folder, uint64_t limit)
{
    DIR *directory = NULL;
    listing list;
    if (list_folder(folder, &directory, &list, true) == 0 && list.bytes > limit) {
        qsort(list.files, list.count, sizeof *list.files, oldest_first);
        for (size_t i = 0; i < list.count && list.bytes > limit; i++) {
            unlinkat(dirfd(directory), list.files[i].name, 0); /* gone already is as well */
            list.bytes -= list.files[i].bytes;
        }
    }
    close_listing(directory, &list);
}
