/* What a stored trial says about itself, and whether that can be true: the gate
 * that rows from elsewhere (seed text, imports, merges) have to pass. */
#include "store/stored_trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kernels/registry.h"
#include "operations/operations.h"
#include "operations/tensors.h"
#include "reference/judge.h"

/* What exceeds the ceiling that was measured beside it is wrong, or the ceiling is: but for
 * the rounding of both. */
static const double most_of_ceiling = 1.000001;

/* What no figure of a record can be beyond: a nanosecond and 11 days in milliseconds;
 * many times the rate and bandwidth of any device. */
static const double least_ms = 1e-6, most_ms = 1e9, most_gflops = 1e7, most_gbs = 1e6;

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

static const char strided[] = ",layout=strided";

bool sqa_stored_shape_is_strided(const char *shape)
{
    const size_t length = strlen(shape), tail = sizeof strided - 1;
    return length > tail && !strcmp(shape + length - tail, strided);
}

sqa_status sqa_stored_shape_read(const char *shape, sqa_problem *out)
{
    char packed[SQA_SHAPE_TEXT];
    if (!sqa_stored_shape_is_strided(shape))
        return sqa_problem_parse(shape, out);
    snprintf(packed, sizeof packed, "%.*s", (int)(strlen(shape) - (sizeof strided - 1)), shape);
    return sqa_problem_parse(packed, out);
}

sqa_status sqa_stored_shape_settle(char shape[SQA_SHAPE_TEXT], sqa_problem *out)
{
    char settled[SQA_SHAPE_TEXT + sizeof strided];
    sqa_status status = sqa_stored_shape_read(shape, out);
    if (status != SQA_OK)
        return status;
    sqa_problem_format(out, settled, SQA_SHAPE_TEXT);
    if (sqa_stored_shape_is_strided(shape))
        memcpy(settled + strlen(settled), strided, sizeof strided);
    const size_t length = strlen(settled);
    if (length >= SQA_SHAPE_TEXT)
        return sqa_fail(SQA_INVALID_ARGUMENT, "shape: longer than %u characters",
                        SQA_SHAPE_TEXT - 1u);
    memcpy(shape, settled, length + 1);
    return SQA_OK;
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
    if (!is_time(trial->recorded_at))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "trial.recorded_at '%s' is not a time like 2026-01-31T12:00:00Z",
                        trial->recorded_at);
    const struct {
        const char *what, *value;
    } hashes[] = {{"source_hash", trial->source_hash}, {"candidates", trial->candidates}};
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
        if (hashes[i].value[strspn(hashes[i].value, "0123456789abcdef")])
            return sqa_fail(SQA_INVALID_ARGUMENT, "trial.%s is not hexadecimal digits",
                            hashes[i].what);
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

/* Of several figures that are known, or NaN, the largest. */
static double largest(double a, double b)
{
    return a >= b || isnan(b) ? a : b;
}

/* Matrix units are faster than multiply-adds, and memory is where the caches end: only
 * what follows from the arithmetic is impossible. */
static sqa_status check_rate(const sqa_stored_trial *trial)
{
    const sqa_trial_ceilings *ceilings = &trial->ceilings;
    const double ceiling = largest(ceilings->matrix_gflops, ceilings->fma_gflops);
    const double rate = trial->flop / (trial->result.median_ms * 1e6);
    if (!measured(trial->gflops) || fabs(trial->gflops - rate) > rate_tolerance * rate)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "trial.gflops does not follow from the problem and median_ms (%.6g)", rate);
    if (trial->gflops > most_of_ceiling * ceiling)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "trial.gflops %.6g cannot be on a device whose ceiling is %.6g",
                        trial->gflops, ceiling);
    return SQA_OK;
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
    return check_rate(trial);
}

/* What was never tried has no figure but the model's, and says which model that is. */
static sqa_status check_modelled(const sqa_stored_trial *trial)
{
    const sqa_trial_result *result = &trial->result;
    const sqa_trial_ceilings *ceilings = &trial->ceilings;
    const double measurements[] = {result->median_ms,      result->spread_ms,  result->yardstick_ms,
                                   result->max_error,      result->build_ms,   trial->gflops,
                                   ceilings->fma_gflops,   ceilings->copy_gbs, ceilings->read_gbs,
                                   ceilings->matrix_gflops};
    if (!(trial->modelled > 0 && trial->modelled <= 1))
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "trial.modelled %.6g; expected more than 0, and 1 at most",
                        trial->modelled);
    for (size_t i = 0; i < sizeof measurements / sizeof *measurements; i++)
        if (!isnan(measurements[i]))
            return sqa_fail(SQA_INVALID_ARGUMENT, "trial.status modelled allows no measurement");
    if (result->samples || trial->final || trial->winner)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "trial.status modelled allows no samples, final or victory");
    if (!result->message[0])
        return sqa_fail(SQA_INVALID_ARGUMENT, "trial.message must say which model it was");
    return SQA_OK;
}

static sqa_status check_figures(const sqa_stored_trial *trial, const sqa_problem *problem)
{
    const sqa_trial_ceilings *ceilings = &trial->ceilings;
    const struct {
        const char *what;
        double value;
        double most;
    } figures[] = {{"median_ms", trial->result.median_ms, most_ms},
                   {"spread_ms", trial->result.spread_ms, most_ms},
                   {"yardstick_ms", trial->result.yardstick_ms, most_ms},
                   {"build_ms", trial->result.build_ms, most_ms},
                   {"max_error", trial->result.max_error, INFINITY},
                   {"gflops", trial->gflops, most_gflops},
                   {"ceiling_gflops", ceilings->fma_gflops, most_gflops},
                   {"ceiling_matrix_gflops", ceilings->matrix_gflops, most_gflops},
                   {"ceiling_copy_gbs", ceilings->copy_gbs, most_gbs},
                   {"ceiling_read_gbs", ceilings->read_gbs, most_gbs}};
    const size_t first_ceiling = 6;
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        if (figures[i].value < 0 || figures[i].value > figures[i].most ||
            (i >= first_ceiling && figures[i].value <= 0))
            return sqa_fail(SQA_INVALID_ARGUMENT, "trial.%s %.6g is outside 0..%.6g",
                            figures[i].what, figures[i].value, figures[i].most);
    sqa_trial_status status = trial->result.status;
    if (status == SQA_TRIAL_MODELLED)
        return check_modelled(trial);
    if (!isnan(trial->modelled))
        return sqa_fail(SQA_INVALID_ARGUMENT, "trial.modelled is for rows of status modelled");
    if (status == SQA_TRIAL_OK || status == SQA_TRIAL_TOO_NOISY)
        return check_timing(trial, problem);
    if (!isnan(trial->result.median_ms) || !isnan(trial->gflops) || trial->winner)
        return sqa_fail(SQA_INVALID_ARGUMENT, "trial.status %s allows no time, rate or victory",
                        sqa_trial_status_name(status));
    return SQA_OK;
}

/* The problem, and what follows from it. */
static sqa_status derive(sqa_stored_trial *trial, sqa_problem *problem)
{
    sqa_status status = sqa_stored_shape_settle(trial->shape, problem);
    if (status != SQA_OK)
        return sqa_fail(SQA_INVALID_ARGUMENT, "problem.%s", sqa_last_error());
    const char *operation = sqa_operation_name(problem->operation);
    if (strcmp(operation, trial->operation) != 0)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "problem.operation '%s' is not that of its shape, which is %s",
                        trial->operation, operation);
    const sqa_problem_class of = sqa_problem_class_of(problem);
    sqa_problem_class_format(&of, trial->class_key);
    trial->flop = sqa_problem_flop(problem);
    trial->bytes =
        sqa_stored_shape_is_strided(trial->shape) ? (double)NAN : sqa_problem_bytes(problem);
    return SQA_OK;
}

sqa_status sqa_stored_trial_validate(sqa_stored_trial *trial)
{
    sqa_problem problem;
    sqa_status status = check_names(trial);
    if (status == SQA_OK)
        status = derive(trial, &problem);
    if (status == SQA_OK)
        status = check_config(trial, &problem);
    if (status == SQA_OK)
        status = check_figures(trial, &problem);
    if (status == SQA_OK && trial->winner && trial->result.status != SQA_TRIAL_OK)
        status = sqa_fail(SQA_INVALID_ARGUMENT, "trial.winner: only a trial that is ok can win");
    return status;
}
