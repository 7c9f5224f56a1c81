/* The finals of a problem: the best few of the search, the fallback and the
 * incumbent, measured round after round. The fastest becomes the winner, if it
 * beats what is in use today by more than the noise. */
#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "search/tune_problem.h"

/* When the interleaved run itself fails (one of them hangs, say), each is tried
 * alone: worse for comparing, but nothing found is lost. */
static sqa_status measure_alone(sqa_runner *runner, const sqa_problem *problem,
                                const sqa_contender *contenders, uint32_t count,
                                sqa_trial_result *results)
{
    const sqa_pace no_pace = {(double)NAN, (double)NAN};
    sqa_status status = SQA_OK;
    for (uint32_t i = 0; i < count && status == SQA_OK; i++)
        status = sqa_runner_trial(runner, problem, &contenders[i].text, &no_pace, &results[i]);
    return status;
}

static sqa_status measure(sqa_tuning_session *session, const sqa_problem *problem,
                          const sqa_contender *contenders, uint32_t count, uint32_t rounds,
                          sqa_trial_result *results, sqa_ceiling *ceiling)
{
    sqa_candidate_text texts[SQA_MAX_FINALISTS];
    sqa_runner *runner = sqa_crew_runner(session->crew, NULL);
    assert(count > 0 && count <= SQA_MAX_FINALISTS);
    for (uint32_t i = 0; i < count; i++)
        texts[i] = contenders[i].text;
    sqa_status status = sqa_runner_finals(runner, problem, texts, count, rounds, results, ceiling);
    if (status != SQA_OK)
        return status;
    for (uint32_t i = 0; i < count; i++)
        if (results[i].status == SQA_TRIAL_CRASHED || results[i].status == SQA_TRIAL_TIMEOUT)
            return measure_alone(runner, problem, contenders, count, results);
    return SQA_OK;
}

/* What is in use keeps its place against what is hardly faster, or was not so in
 * three rounds of four: such a lead is as likely noise. */
#define LEAST_LEAD 0.98

static bool beats_last(const sqa_trial_result *result)
{
    return result->relative < LEAST_LEAD && result->relative + result->relative_spread / 2 < 1.0;
}

static bool is_rankable(const sqa_trial_result *result)
{
    return result->status == SQA_TRIAL_OK && isfinite(result->median_ms);
}

/* Round by round where there is something to compare with, else by bare times. */
static bool is_faster(const sqa_trial_result *a, const sqa_trial_result *b)
{
    bool comparable = isfinite(a->relative) && isfinite(b->relative);
    return comparable ? a->relative < b->relative : a->median_ms < b->median_ms;
}

uint32_t sqa_finals_winner(const sqa_trial_result *results, uint32_t count)
{
    uint32_t best = count;
    for (uint32_t i = 0; i < count; i++)
        if (is_rankable(&results[i]) && (best == count || is_faster(&results[i], &results[best])))
            best = i;
    if (best < count && is_rankable(&results[count - 1]) && !beats_last(&results[best]))
        best = count - 1;
    return best;
}

static void describe_winner(const sqa_contender *winner, const sqa_trial_result *result,
                            sqa_tuning_outcome *outcome)
{
    outcome->tuned = true;
    outcome->winner = winner->text;
    outcome->best_ms = result->median_ms;
    outcome->spread_ms = result->spread_ms;
    outcome->max_error = result->max_error;
}

/* The fallback's time, where it is among the contenders and ran: the yardstick of all. */
static void describe_fallback(const sqa_contender *fallback, const sqa_contender *contenders,
                              sqa_trial_result *results, uint32_t count,
                              sqa_tuning_outcome *outcome)
{
    outcome->fallback = fallback->text;
    for (uint32_t i = 0; i < count; i++)
        if (sqa_contender_equal(&contenders[i], fallback) && is_rankable(&results[i]))
            outcome->default_ms = results[i].median_ms;
    for (uint32_t i = 0; i < count; i++)
        if (is_rankable(&results[i]))
            results[i].yardstick_ms = outcome->default_ms;
}

sqa_status sqa_tuning_finals(sqa_tuning_session *session, const sqa_problem *problem,
                             const sqa_contender *contenders, uint32_t count, uint32_t rounds,
                             sqa_tuning_outcome *outcome)
{
    sqa_trial_result results[SQA_MAX_FINALISTS];
    sqa_ceiling ceiling;
    int64_t trials[SQA_MAX_FINALISTS];
    const sqa_contender fallback = sqa_fallback_of(session, problem);
    sqa_status status = measure(session, problem, contenders, count, rounds, results, &ceiling);
    if (status == SQA_OK)
        describe_fallback(&fallback, contenders, results, count, outcome);
    for (uint32_t i = 0; i < count && status == SQA_OK; i++)
        status =
            sqa_record_trial(session, problem, &contenders[i], &results[i], &ceiling, &trials[i]);
    if (status != SQA_OK)
        return status;
    uint32_t best = sqa_finals_winner(results, count);
    if (best == count) {
        snprintf(outcome->message, sizeof outcome->message, "no finalist held: %.400s",
                 results[0].message);
        return SQA_OK;
    }
    status = sqa_store_set_winner(session->store, trials[best]);
    if (status == SQA_OK)
        describe_winner(&contenders[best], &results[best], outcome);
    return status;
}
