#include "base/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Not mkstemp(), which leaves nothing of the mode for the umask to decide. */
static int create(sqa_draft *draft, const char *folder, unsigned number, mode_t mode)
{
    int length = snprintf(draft->path, sizeof draft->path, "%s/" SQA_DRAFT_PREFIX "%ld-%u", folder,
                          (long)getpid(), number);
    if (length < 0 || (size_t)length >= sizeof draft->path)
        return ENAMETOOLONG;
    draft->file = open(draft->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    return draft->file < 0 ? errno : 0;
}

int sqa_draft_begin(sqa_draft *draft, const char *folder, mode_t mode)
{
    int failure = EEXIST; /* another thread's, or left by a process of the same number */
    for (unsigned number = 0; failure == EEXIST; number++)
        failure = create(draft, folder, number, mode);
    if (failure)
        *draft = (sqa_draft)SQA_DRAFT_INIT;
    return failure;
}

int sqa_draft_complete(sqa_draft *draft)
{
    int failure = fsync(draft->file) ? errno : 0;
    if (close(draft->file) && !failure)
        failure = errno;
    draft->file = -1;
    return failure;
}

int sqa_draft_keep(sqa_draft *draft, const char *place)
{
    if (rename(draft->path, place))
        return errno;
    draft->path[0] = '\0';
    return 0;
}

void sqa_draft_discard(sqa_draft *draft)
{
    if (draft->file >= 0)
        close(draft->file);
    if (draft->path[0])
        unlink(draft->path);
    *draft = (sqa_draft)SQA_DRAFT_INIT;
}
