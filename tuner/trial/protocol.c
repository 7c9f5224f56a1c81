/* See protocol.h. */
#include "trial/protocol.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "operations/shape.h"

/* A configuration without parameters still has to be a word. */
static const char no_config[] = "-";

static const char *const kinds[] = {[SQA_REQUEST_BUILD] = "build",
                                    [SQA_REQUEST_TRIAL] = "trial",
                                    [SQA_REQUEST_FINALS] = "finals",
                                    [SQA_REQUEST_CEILING] = "ceiling",
                                    [SQA_REQUEST_PAUSED] = "paused"};

static bool has_problem(sqa_request_kind kind)
{
    return kind != SQA_REQUEST_CEILING && kind != SQA_REQUEST_PAUSED;
}

/* Takes the next word of *line, up to a space or the end; false when there is
 * none or it does not fit. */
static bool next_word(const char **line, char *out, size_t size)
{
    const char *begin = *line + strspn(*line, " ");
    size_t length = strcspn(begin, " \n");
    if (!length || length >= size)
        return false;
    memcpy(out, begin, length);
    out[length] = '\0';
    *line = begin + length;
    return true;
}

static bool next_number(const char **line, double *out)
{
    char word[64], *end;
    if (!next_word(line, word, sizeof word))
        return false;
    *out = strtod(word, &end);
    return *end == '\0';
}

static bool next_count(const char **line, uint32_t *out)
{
    double number;
    if (!next_number(line, &number) || !(number >= 0 && number <= 1e9))
        return false;
    *out = (uint32_t)number;
    return true;
}

static bool next_candidate(const char **line, sqa_candidate_text *out)
{
    if (!next_word(line, out->family, sizeof out->family) ||
        !next_word(line, out->config, sizeof out->config))
        return false;
    if (!strcmp(out->config, no_config))
        out->config[0] = '\0';
    return true;
}

bool sqa_request_format(const sqa_request *request, char line[SQA_PROTOCOL_LINE])
{
    char shape[SQA_SHAPE_TEXT];
    sqa_text text = SQA_TEXT_INIT;
    if (request->kind == SQA_REQUEST_CEILING) {
        sqa_ceiling_format(&request->ceiling, line);
        return true;
    }
    sqa_text_append(&text, kinds[request->kind]);
    if (has_problem(request->kind)) {
        sqa_problem_format(&request->problem, shape, sizeof shape);
        sqa_text_format(&text, " %s", shape);
    }
    if (request->kind == SQA_REQUEST_TRIAL)
        sqa_text_format(&text, " %.9g %.9g", request->pace.best_ms, request->pace.best_relative);
    else if (request->kind == SQA_REQUEST_FINALS || request->kind == SQA_REQUEST_PAUSED)
        sqa_text_format(&text, " %u", request->rounds);
    for (uint32_t i = 0; i < request->count; i++) {
        const sqa_candidate_text *candidate = &request->candidates[i];
        sqa_text_format(&text, " %s %s", candidate->family,
                        candidate->config[0] ? candidate->config : no_config);
    }
    sqa_text_append(&text, "\n");
    bool fits = sqa_text_status(&text) == SQA_OK && text.length < SQA_PROTOCOL_LINE;
    if (fits)
        memcpy(line, text.data, text.length + 1);
    sqa_text_free(&text);
    return fits;
}

static bool parse_candidates(const char *line, sqa_request *out)
{
    while (line[strspn(line, " \n")]) {
        if (out->count == SQA_MAX_FINALISTS || !next_candidate(&line, &out->candidates[out->count]))
            return false;
        out->count++;
    }
    return out->kind == SQA_REQUEST_FINALS ? out->count >= 1 : out->count == 1;
}

static bool parse_kind(const char *word, sqa_request_kind *out)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (!strcmp(word, kinds[i])) {
            *out = (sqa_request_kind)i;
            return true;
        }
    return false;
}

/* What stands between the shape and the candidates. */
static bool parse_numbers(const char **line, sqa_request *out)
{
    if (out->kind == SQA_REQUEST_TRIAL)
        return next_number(line, &out->pace.best_ms) && next_number(line, &out->pace.best_relative);
    return out->kind == SQA_REQUEST_BUILD || next_count(line, &out->rounds);
}

bool sqa_request_parse(const char *line, sqa_request *out)
{
    const char *whole = line;
    char word[16], shape[SQA_SHAPE_TEXT];
    memset(out, 0, sizeof *out);
    if (!next_word(&line, word, sizeof word) || !parse_kind(word, &out->kind))
        return false;
    if (out->kind == SQA_REQUEST_CEILING)
        return sqa_ceiling_parse(whole, &out->ceiling);
    if (out->kind == SQA_REQUEST_PAUSED)
        return next_count(&line, &out->rounds);
    return next_word(&line, shape, sizeof shape) &&
           sqa_problem_parse(shape, &out->problem) == SQA_OK && parse_numbers(&line, out) &&
           parse_candidates(line, out);
}

void sqa_result_format(const sqa_trial_result *result, char line[SQA_PROTOCOL_LINE])
{
    snprintf(line, SQA_PROTOCOL_LINE, "result %s %.9g %.9g %.9g %.9g %.9g %.9g %.9g %u %s\n",
             sqa_trial_status_name(result->status), result->median_ms, result->spread_ms,
             result->relative, result->relative_spread, result->yardstick_ms, result->max_error,
             result->build_ms, result->samples, result->message);
}

bool sqa_result_parse(const char *line, sqa_trial_result *out)
{
    char word[32];
    memset(out, 0, sizeof *out);
    if (!next_word(&line, word, sizeof word) || strcmp(word, "result") != 0 ||
        !next_word(&line, word, sizeof word) || !sqa_trial_status_from_name(word, &out->status) ||
        out->status == SQA_TRIAL_MODELLED || !next_number(&line, &out->median_ms) ||
        !next_number(&line, &out->spread_ms) || !next_number(&line, &out->relative) ||
        !next_number(&line, &out->relative_spread) || !next_number(&line, &out->yardstick_ms) ||
        !next_number(&line, &out->max_error) || !next_number(&line, &out->build_ms) ||
        !next_count(&line, &out->samples))
        return false;
    char rest[SQA_PROTOCOL_LINE], message[sizeof out->message];
    snprintf(rest, sizeof rest, "%.*s", (int)strcspn(line, "\n"), line);
    sqa_utf8_clean(rest + strspn(rest, " "), message, sizeof message, true);
    snprintf(out->message, sizeof out->message, "%s", message + strspn(message, " "));
    return true;
}

void sqa_ceiling_format(const sqa_ceiling *ceiling, char line[SQA_PROTOCOL_LINE])
{
    const double *rate = ceiling->rate;
    const uint32_t *number = ceiling->number;
    snprintf(line, SQA_PROTOCOL_LINE, "ceiling %.9g %.9g %.9g %u %u %u\n", rate[SQA_CEILING_FMA],
             rate[SQA_CEILING_COPY], rate[SQA_CEILING_READ], number[SQA_CEILING_FMA],
             number[SQA_CEILING_COPY], number[SQA_CEILING_READ]);
}

bool sqa_ceiling_parse(const char *line, sqa_ceiling *out)
{
    char word[16];
    memset(out, 0, sizeof *out);
    bool sound = next_word(&line, word, sizeof word) && !strcmp(word, "ceiling");
    for (int kind = 0; kind < SQA_CEILING_KINDS; kind++)
        sound = sound && next_number(&line, &out->rate[kind]);
    for (int kind = 0; kind < SQA_CEILING_KINDS; kind++)
        sound = sound && next_count(&line, &out->number[kind]);
    return sound;
}
