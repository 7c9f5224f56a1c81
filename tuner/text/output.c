#include "text/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static sqa_status fail(const sqa_output *out, int failure)
{
    return sqa_fail(SQA_DATABASE_ERROR, "%s: %s cannot be written: %s", out->option, out->path,
                    strerror(failure));
}

/* A file that is replaced has its mode from the older one, and its owner where this
 * process may give files away. */
static int begin_draft(sqa_output *out)
{
    const struct stat *older = &out->place.file;
    const mode_t permissions = S_IRWXU | S_IRWXG | S_IRWXO;
    char folder[4096];
    int failure = sqa_place_folder(out->place.path, folder);
    if (!failure)
        failure =
            sqa_draft_begin(&out->draft, folder, out->place.exists ? S_IRUSR | S_IWUSR : 0666);
    if (failure || !out->place.exists)
        return failure;
    if (fchown(out->draft.file, older->st_uid, older->st_gid) && errno != EPERM && errno != EINVAL)
        return errno;
    return fchmod(out->draft.file, older->st_mode & permissions) ? errno : 0;
}

/* Standard output goes on where it is, also where that is inside a file. */
static int open_stream(const sqa_place *place, const char *path)
{
    const sqa_place standard = sqa_place_of_stdout();
    if (!standard.exists || standard.file.st_dev != place->file.st_dev ||
        standard.file.st_ino != place->file.st_ino)
        return open(path, O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC);
    return fflush(stdout) ? -1 : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
}

sqa_status sqa_output_open(sqa_output *out, const char *option, const char *path)
{
    *out = (sqa_output)SQA_OUTPUT_INIT;
    out->option = option;
    out->path = path;
    int failure = sqa_place_find(&out->place, path), file = -1;
    if (!failure)
        failure = sqa_place_check(&out->place, path); /* a rename would not ask the file */
    if (!failure && out->place.path[0])
        failure = begin_draft(out);
    if (!failure) {
        file = out->place.path[0] ? fcntl(out->draft.file, F_DUPFD_CLOEXEC, 0)
                                  : open_stream(&out->place, path);
        out->file = file < 0 ? NULL : fdopen(file, "wb");
        failure = out->file ? 0 : errno;
    }
    if (!failure)
        return SQA_OK;
    if (file >= 0)
        close(file);
    sqa_output_discard(out);
    return fail(out, failure);
}

/* What became of all that was written. A stream remembers that something failed but not
 * what, so that one byte more, in a file that is lost anyway, asks for it. */
static int failure_of(FILE *file)
{
    if (fflush(file))
        return errno;
    if (!ferror(file))
        return 0;
    return write(fileno(file), "\n", 1) < 0 ? errno : EIO;
}

sqa_status sqa_output_complete(sqa_output *out)
{
    int failure = failure_of(out->file);
    if (fclose(out->file) && !failure)
        failure = errno;
    out->file = NULL;
    if (!failure && out->place.path[0])
        failure = sqa_draft_complete(&out->draft);
    return failure ? fail(out, failure) : SQA_OK;
}

sqa_status sqa_output_keep(sqa_output *out)
{
    int failure = out->place.path[0] ? sqa_draft_keep(&out->draft, out->place.path) : 0;
    return failure ? fail(out, failure) : SQA_OK;
}

void sqa_output_discard(sqa_output *out)
{
    if (out->file)
        fclose(out->file);
    out->file = NULL;
    sqa_draft_discard(&out->draft);
}

sqa_status sqa_output_close(sqa_output *out, sqa_status status)
{
    if (status == SQA_OK || ferror(out->file)) /* which explains the other failure */
        status = sqa_output_complete(out);
    if (status == SQA_OK)
        status = sqa_output_keep(out);
    sqa_output_discard(out);
    return status;
}

FILE *sqa_output_words(const char *path)
{
    sqa_place place;
    const sqa_place standard = sqa_place_of_stdout();
    return sqa_place_find(&place, path) == 0 && sqa_place_is_same(&place, &standard) ? stderr
                                                                                     : stdout;
}
