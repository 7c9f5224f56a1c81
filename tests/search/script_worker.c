/* See script_worker.h. */
#include "search/script_worker.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char worker_path[64];

void write_worker(const char *body)
{
    snprintf(worker_path, sizeof worker_path, "/tmp/sqa_worker_XXXXXX");
    int fd = mkstemp(worker_path);
    ck_assert_int_ge(fd, 0);
    FILE *script = fdopen(fd, "w");
    ck_assert_ptr_nonnull(script);
    fprintf(script, "#!/bin/sh\n%s\n", body);
    ck_assert_int_eq(fclose(script), 0);
    ck_assert_int_eq(chmod(worker_path, 0700), 0);
}

void remove_worker(void)
{
    unlink(worker_path);
}

sqa_request a_request(sqa_request_kind kind)
{
    sqa_request request;
    memset(&request, 0, sizeof request);
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.q_heads = 8;
    desc.kv_heads = 2;
    desc.q_length = 100;
    desc.kv_length = 200;
    desc.head_dim = 40;
    desc.causal = SQA_CAUSAL_TOP_LEFT;
    request.kind = kind;
    ck_assert_int_eq(sqa_problem_from_desc(&request.problem, &desc), SQA_OK);
    request.pace = (sqa_pace){(double)NAN, (double)NAN};
    request.count = 1;
    snprintf(request.candidates[0].family, sizeof request.candidates[0].family, "rows");
    snprintf(request.candidates[0].config, sizeof request.candidates[0].config, "A=1,B=2");
    return request;
}
