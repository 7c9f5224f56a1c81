/* See option_kinds.h. */
#include "cli/option_kinds.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/number.h"
#include "base/status.h"

static sqa_status fail(const char *name, const char *text, const char *expected)
{
    return sqa_fail(SQA_INVALID_ARGUMENT, "--%s is '%s'; expected %s", name, text, expected);
}

static sqa_status fail_range(const char *name, const char *text, uint64_t low, uint64_t high)
{
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "--%s is '%s'; expected a number from %" PRIu64 " to %" PRIu64, name, text, low,
                    high);
}

static sqa_status take_item(const sqa_option *option, const char *text)
{
    sqa_option_list *list = option->list;
    const size_t most = sizeof list->items / sizeof list->items[0];
    if (list->count == most)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--%s is given more than %zu times", option->name,
                        most);
    list->items[list->count++] = text;
    return SQA_OK;
}

static sqa_status take_count(const sqa_option *option, const char *text)
{
    const uint32_t low = option->count.low, high = option->count.high;
    return sqa_read_count(text, low, high, option->count.to)
               ? SQA_OK
               : fail_range(option->name, text, low, high);
}

static sqa_status take_number(const sqa_option *option, const char *text)
{
    const uint64_t low = option->number.low, high = option->number.high;
    return sqa_read_number(text, low, high, option->number.to)
               ? SQA_OK
               : fail_range(option->name, text, low, high);
}

/* Adds one of the numbers between commas. */
static sqa_status add_count(const sqa_option *option, const char *word)
{
    sqa_option_counts *list = option->counts.to;
    const uint32_t low = option->counts.low, high = option->counts.high;
    uint32_t value = 0;
    if (list->count == SQA_OPTION_COUNTS)
        return sqa_fail(SQA_INVALID_ARGUMENT, "--%s takes at most %u numbers", option->name,
                        SQA_OPTION_COUNTS);
    if (!sqa_read_count(word, low, high, &value))
        return fail_range(option->name, word, low, high);
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i] == value)
            return sqa_fail(SQA_INVALID_ARGUMENT, "--%s names %u twice", option->name, value);
    list->items[list->count++] = value;
    return SQA_OK;
}

static sqa_status take_counts(const sqa_option *option, const char *text)
{
    sqa_status status = SQA_OK;
    option->counts.to->count = 0; /* what is given takes the default's place */
    for (bool more = true; more && status == SQA_OK;) {
        char word[32]; /* longer than any number in range */
        const size_t length = strcspn(text, ",");
        snprintf(word, sizeof word, "%.*s", (int)length, text);
        status = add_count(option, word);
        more = text[length] == ',';
        text += length + more;
    }
    return status;
}

static sqa_status take_pair(const sqa_option *option, const char *text)
{
    const uint32_t low = option->pair.low, high = option->pair.high;
    if (sqa_read_pair(text, ',', low, high, option->pair.first, option->pair.second))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "--%s is '%s'; expected %s, each from %u to %u",
                    option->name, text, option->argument, low, high);
}

static sqa_status take_real(const sqa_option *option, const char *text)
{
    static const char *const expected[] = {
        [SQA_REALS_ABOVE_ZERO] = "a finite number above 0",
        [SQA_REALS_BUT_ZERO] = "a finite number other than 0",
    };
    float value = 0.0f;
    if (!sqa_read_finite(text, &value) || value == 0.0f ||
        (option->real.which == SQA_REALS_ABOVE_ZERO && value < 0.0f))
        return fail(option->name, text, expected[option->real.which]);
    *option->real.to = value;
    return SQA_OK;
}

static sqa_status take_window(const sqa_option *option, const char *text)
{
    if (sqa_read_window(text, ',', option->window))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "--%s is '%s'; expected %s, each from 0 to %d or -1 for no bound", option->name,
                    text, option->argument, SQA_WINDOW_MOST);
}

sqa_status sqa_option_take(const sqa_option *option, const char *text)
{
    if (option->list)
        return take_item(option, text);
    if (option->count.to)
        return take_count(option, text);
    if (option->number.to)
        return take_number(option, text);
    if (option->counts.to)
        return take_counts(option, text);
    if (option->pair.first)
        return take_pair(option, text);
    if (option->real.to)
        return take_real(option, text);
    if (option->window)
        return take_window(option, text);
    if (option->other.read)
        return option->other.read(text, option->other.to)
                   ? SQA_OK
                   : fail(option->name, text, option->other.expected);
    assert(option->text);
    *option->text = text;
    return SQA_OK;
}
