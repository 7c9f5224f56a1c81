/* What the tuner and its worker say to each other: one line each way, words
 * separated by spaces. Text in, structs out; no pipes and no OpenCL here.
 *
 *   build SHAPE FAMILY CONFIG                       -> result ...
 *   trial SHAPE BEST_MS BEST_RELATIVE FAMILY CONFIG -> result ...
 *   finals SHAPE ROUNDS FAMILY CONFIG ...           -> one result line per candidate, ceiling ...
 *   ceiling ...                                     -> ceiling ...
 *   paused MILLISECONDS                             -> nothing; the latest build stood still
 *
 *   result STATUS MEDIAN SPREAD RELATIVE RELATIVE_SPREAD YARDSTICK_MS MAX_ERROR BUILD_MS
 *          SAMPLES MESSAGE...
 *   ceiling FMA_GFLOPS COPY_GBS READ_GBS FMA_VARIANT COPY_VARIANT READ_VARIANT
 *          as a request, what is known of them by now
 *
 * A worker first says "ready", or "error MESSAGE" when it cannot work at all. */
#ifndef SQA_TUNER_PROTOCOL_H
#define SQA_TUNER_PROTOCOL_H

#include <stdbool.h>

#include "trial/ceiling.h"
#include "trial/sampling.h"
#include "trial/trial.h"

#define SQA_PROTOCOL_LINE 4096 /* bytes of any line, with newline and zero */
#define SQA_MAX_FINALISTS 8
#define SQA_FAMILY_NAME 32

typedef struct sqa_candidate_text {
    char family[SQA_FAMILY_NAME];
    char config[SQA_CONFIG_TEXT];
} sqa_candidate_text;

typedef enum sqa_request_kind {
    SQA_REQUEST_BUILD = 0,
    SQA_REQUEST_TRIAL,
    SQA_REQUEST_FINALS,
    SQA_REQUEST_CEILING,
    SQA_REQUEST_PAUSED
} sqa_request_kind;

typedef struct sqa_request {
    sqa_request_kind kind;
    sqa_problem problem;
    sqa_pace pace;   /* trial: the fastest so far, to cut hopeless ones short */
    uint32_t rounds; /* finals: interleaved samples of each candidate; paused: milliseconds */
    uint32_t count;  /* candidates: 1 for a build and a trial, else 0 but for finals */
    sqa_candidate_text candidates[SQA_MAX_FINALISTS];
    sqa_ceiling ceiling; /* of a request for it: what is known by now */
} sqa_request;

/* Writes the line with its newline; false when it does not fit. */
bool sqa_request_format(const sqa_request *request, char line[SQA_PROTOCOL_LINE]);
bool sqa_request_parse(const char *line, sqa_request *out);

void sqa_result_format(const sqa_trial_result *result, char line[SQA_PROTOCOL_LINE]);
bool sqa_result_parse(const char *line, sqa_trial_result *out);

void sqa_ceiling_format(const sqa_ceiling *ceiling, char line[SQA_PROTOCOL_LINE]);
bool sqa_ceiling_parse(const char *line, sqa_ceiling *out);

#endif
