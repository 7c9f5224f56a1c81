/* What a stored trial says about itself, and whether that can be true: the gate
 * that rows from elsewhere (seed text, imports, merges) have to pass. */
#include "store/stored_trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/registry.h"
#include "operations/attention/pattern_text.h"
#include "operations/operations.h"
#include "operations/tensors.h"
#include "reference/judge.h"

/* A measured rate can exceed the measured ceiling by noise, not by this much. */
static const double most_of_ceiling = 1.5;

/* What no figure of a record can be beyond: a nanosecond and 11 days in milliseconds;
 * many times the f32 rate of any device. */
static const double least_ms = 1e-6, most_ms = 1e9, most_gflops = 1e7;

/* The stated rate is derived from the time; rounding may tell them apart by this. */
static const double rate_tolerance = 1e-3;

double sqa_kept_figure(double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.9g", value);
    return strtod(text, NULL);
}

void sqa_time_now(char out[SQA_TIME_TEXT])
{
    time_t now = time(NULL);
    struct tm utc;
    if (!gmtime_r(&now, &utc) || !strftime(out, SQA_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &utc))
        snprintf(out, SQA_TIME_TEXT, "1970-01-01T00:00:00Z");
}

sqa_stored_class sqa_stored_class_of(const sqa_problem *problem)
{
    const sqa_problem_class c = sqa_problem_class_of(problem);
    return (sqa_stored_class){
        c.operation, (sqa_dtype)c.value[0], c.value[1],          c.value[2],         c.value[3],
        c.value[4],  (int32_t)c.value[5],   (int32_t)c.value[6], (int32_t)c.value[7]};
}

bool sqa_stored_class_equal(const sqa_stored_class *a, const sqa_stored_class *b)
{
    return !memcmp(a, b, sizeof *a);
}

static bool same_strides(const sqa_strides *a, const sqa_strides *b)
{
    return a->batch == b->batch && a->head == b->head && a->sequence == b->sequence;
}

typedef sqa_strides (*layout_strides)(uint32_t heads, uint32_t length, uint32_t dim);

static bool is_laid_out(const sqa_attention *problem, layout_strides strides)
{
    sqa_strides q = strides(problem->q_heads, problem->q_length, problem->head_dim);
    sqa_strides k = strides(problem->kv_heads, problem->kv_length, problem->head_dim);
    sqa_strides v = strides(problem->kv_heads, problem->kv_length, problem->value_dim);
    sqa_strides o = strides(problem->out_heads, problem->q_length, problem->value_dim);
    return same_strides(&q, &problem->q) && same_strides(&k, &problem->k) &&
           same_strides(&v, &problem->v) && same_strides(&o, &problem->o);
}

const char *sqa_problem_layout(const sqa_problem *problem)
{
    return is_laid_out(&problem->of.attention, sqa_strides_bhsd)   ? "bhsd"
           : is_laid_out(&problem->of.attention, sqa_strides_bshd) ? "bshd"
                                                                   : "strided";
}

sqa_status sqa_stored_trial_desc(const sqa_stored_trial *trial, sqa_attention_desc *out)
{
    sqa_attention_desc desc = SQA_ATTENTION_DESC_INIT;
    desc.operation = trial->problem_class.operation;
    desc.dtype = trial->problem_class.dtype;
    desc.batch = trial->batch;
    desc.q_heads = trial->q_heads;
    desc.kv_heads = trial->kv_heads;
    desc.q_length = trial->q_length;
    desc.kv_length = trial->kv_length;
    desc.head_dim = trial->problem_class.head_dim;
    desc.value_dim = trial->problem_class.value_dim;
    desc.causal = trial->causal;
    desc.write_lse = trial->write_lse;
    if (!strcmp(trial->layout, "bshd")) {
        uint32_t heads = desc.q_heads > desc.kv_heads ? desc.q_heads : desc.kv_heads;
        desc.q = sqa_strides_bshd(desc.q_heads, desc.q_length, desc.head_dim);
        desc.k = sqa_strides_bshd(desc.kv_heads, desc.kv_length, desc.head_dim);
        desc.v = sqa_strides_bshd(desc.kv_heads, desc.kv_length, desc.value_dim);
        desc.o = sqa_strides_bshd(heads, desc.q_length, desc.value_dim);
    }
    *out = desc;
    return sqa_pattern_read(trial->pattern, out);
}

void sqa_stored_trial_shape(const sqa_stored_trial *trial, char text[SQA_SHAPE_TEXT])
{
    sqa_attention_desc desc;
    (void)sqa_stored_trial_desc(trial, &desc);
    sqa_problem problem;
    text[0] = 0;
    if (sqa_problem_from_desc(&problem, &desc) == SQA_OK)
        sqa_problem_format(&problem, text, SQA_SHAPE_TEXT);
}

sqa_status sqa_stored_trial_problem(const sqa_stored_trial *trial, sqa_problem *out)
{
    sqa_attention_desc desc;
    sqa_status status = sqa_stored_trial_desc(trial, &desc);
    return status == SQA_OK ? sqa_problem_from_desc(out, &desc) : status;
}

/* "2026-01-31T12:00:00Z": digits where digits belong, and no month 13. */
static bool is_time(const char *text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
    if (strlen(text) != strlen(form))
        return false;
    for (size_t i = 0; form[i]; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    int month = atoi(text + 5), day = atoi(text + 8);
    return month >= 1 && month <= 12 && day >= 1 && day <= 31 && atoi(text + 11) < 24 &&
           atoi(text + 14) < 60 && atoi(text + 17) <= 60;
}

static sqa_status check_names(const sqa_stored_trial *trial)
{
    const struct {
        const char *what, *value;
    } required[] = {
        {"device.vendor", trial->device.identity.vendor},
        {"device.model", trial->device.identity.model},
        {"device.runtime", trial->device.identity.runtime},
        {"environment.library_version", trial->library_version},
    };
    for (size_t i = 0; i < sizeof required / sizeof *required; i++)
        if (!required[i].value[0])
            return sqa_fail(SQA_INVALID_ARGUMENT, "%s is empty", required[i].what);
    if (strcmp(trial->layout, "bhsd") && strcmp(trial->layout, "bshd") &&
        strcmp(trial->layout, "strided"))
        return sqa_fail(SQA_INVALID_ARGUMENT, "problem.layout '%s' is not bhsd, bshd or strided",
                        trial->layout);
    if (!is_time(trial->recorded_at))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "trial.recorded_at '%s' is not a time like 2026-01-31T12:00:00Z",
                        trial->recorded_at);
    if (trial->source_hash[strspn(trial->source_hash, "0123456789abcdef")])
        return sqa_fail(SQA_INVALID_ARGUMENT, "trial.source_hash is not hexadecimal digits");
    if (trial->result.status == SQA_TRIAL_OK && trial->result.message[0])
        return sqa_fail(SQA_INVALID_ARGUMENT, "trial.message is for trials that failed");
    return SQA_OK;
}

static sqa_status check_config(const sqa_stored_trial *trial, const sqa_problem *problem)
{
    const sqa_kernel_family *family = sqa_family_find(problem->operation, trial->family);
    if (!family)
        return sqa_fail(SQA_INVALID_ARGUMENT, "trial.family '%s' is not known here", trial->family);
    if (family->space_version != trial->space_version)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "trial.space_version %u: the parameters of %s are at version %u",
                        trial->space_version, family->name, family->space_version);
    sqa_config config;
    memset(&config, 0, sizeof config);
    sqa_status status = sqa_config_parse(family, trial->config, &config);
    if (status != SQA_OK)
        return status;
    char text[SQA_CONFIG_TEXT];
    sqa_config_format(family, &config, text);
    if (strcmp(text, trial->config))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "trial.config '%s' does not name every parameter of %s in order",
                        trial->config, family->name);
    const char *why = "";
    if (trial->result.status != SQA_TRIAL_REJECTED &&
        !sqa_family_accepts(family, &config, problem, &trial->device, &why))
        return sqa_fail(SQA_INVALID_ARGUMENT, "trial.config '%s' cannot run on its device: %s",
                        trial->config, why);
    return SQA_OK;
}

/* Whether a time, error, ... has been measured and can be true. */
static bool measured(double value)
{
    return isfinite(value) && value >= 0;
}

static sqa_status check_timing(const sqa_stored_trial *trial, const sqa_problem *problem)
{
    const sqa_trial_result *result = &trial->result;
    if (!(result->median_ms >= least_ms && measured(result->spread_ms) &&
          measured(result->max_error) && result->samples > 0))
        return sqa_fail(SQA_INVALID_ARGUMENT, "trial.median_ms, spread_ms, max_error and samples "
                                              "must be given for a trial that was timed");
    double limit = 0.0;
    sqa_status known = sqa_judge_limit(problem, &limit);
    if (known != SQA_OK)
        return known;
    if (result->max_error > limit)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "trial.max_error %.3g is above the %.3g of a correct result",
                        result->max_error, limit);
    double rate = sqa_problem_flop(problem) / (result->median_ms * 1e6);
    if (!measured(trial->gflops) || fabs(trial->gflops - rate) > rate_tolerance * rate)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "trial.gflops does not follow from the problem and median_ms (%.6g)", rate);
    if (trial->ceiling_gflops <= 0 || trial->gflops > most_of_ceiling * trial->ceiling_gflops)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "trial.gflops %.6g cannot be on a device whose ceiling is %.6g",
                        trial->gflops, trial->ceiling_gflops);
    return SQA_OK;
}

static sqa_status check_figures(const sqa_stored_trial *trial, const sqa_problem *problem)
{
    const struct {
        const char *what;
        double value;
        double most;
    } figures[] = {{"median_ms", trial->result.median_ms, most_ms},
                   {"spread_ms", trial->result.spread_ms, most_ms},
                   {"build_ms", trial->result.build_ms, most_ms},
                   {"max_error", trial->result.max_error, INFINITY},
                   {"gflops", trial->gflops, most_gflops},
                   {"ceiling_gflops", trial->ceiling_gflops, most_gflops}};
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (figures[i].value < 0 || figures[i].value > figures[i].most)
            return sqa_fail(SQA_INVALID_ARGUMENT, "trial.%s %.6g is outside 0..%.6g",
                            figures[i].what, figures[i].value, figures[i].most);
    sqa_trial_status status = trial->result.status;
    if (status == SQA_TRIAL_OK || status == SQA_TRIAL_TOO_NOISY)
        return check_timing(trial, problem);
    if (!isnan(trial->result.median_ms) || !isnan(trial->gflops) || trial->winner)
        return sqa_fail(SQA_INVALID_ARGUMENT, "trial.status %s allows no time, rate or victory",
                        sqa_trial_status_name(status));
    return SQA_OK;
}

sqa_status sqa_stored_trial_validate(sqa_stored_trial *trial)
{
    sqa_problem problem;
    sqa_status status = check_names(trial);
    if (status == SQA_OK)
        status = sqa_stored_trial_problem(trial, &problem);
    if (status == SQA_OK)
        status = check_config(trial, &problem);
    if (status == SQA_OK)
        status = check_figures(trial, &problem);
    if (status == SQA_OK && trial->winner && trial->result.status != SQA_TRIAL_OK)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "trial.winner: only a trial that is ok can win");
    if (status == SQA_OK) {
        trial->problem_class = sqa_stored_class_of(&problem);
        trial->fraction_of_ceiling = trial->gflops / trial->ceiling_gflops;
    }
    return status;
}
