#include "runtime/shape_record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "operations/shape.h"

sqa_status sqa_shape_record_open(sqa_shape_record *out)
{
    const char *file = getenv("SQA_CL_RECORD");
    out->file = file && file[0] ? strdup(file) : NULL;
    return file && file[0] && !out->file ? sqa_fail_memory("a context") : SQA_OK;
}

void sqa_shape_record_close(sqa_shape_record *record)
{
    free(record->file);
    record->file = NULL;
}

void sqa_shape_record_add(const sqa_shape_record *record, const sqa_problem *problem,
                          const sqa_log *log)
{
    char line[SQA_SHAPE_TEXT + 1];
    sqa_problem_format(problem, line, SQA_SHAPE_TEXT);
    const size_t length = strlen(line);
    line[length] = '\n';
    const int fd = open(record->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    const bool written = fd >= 0 && write(fd, line, length + 1) == (ssize_t)(length + 1);
    if (!written)
        sqa_log_write(log, SQA_LOG_WARNING, "$SQA_CL_RECORD, %s: %s", record->file,
                      strerror(errno));
    if (fd >= 0)
        close(fd);
}
