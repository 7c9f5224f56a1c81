/* See option_rules.h. */
#include "cli/option_rules.h"

#include <assert.h>
#include <string.h>

#include "base/status.h"
#include "base/text.h"

/* A table, and which of its rows were given; the row that ends it was not. */
typedef struct command_line {
    const sqa_option *options;
    const bool *given;
} command_line;

/* A name within a list. */
typedef struct word {
    const char *at;
    size_t length;
} word;

/* The name at *list, which moves past it and one of `separators`; false: there is none. */
static bool next_word(const char **list, const char *separators, word *out)
{
    if (!*list || !**list)
        return false;
    *out = (word){*list, strcspn(*list, separators)};
    *list += out->length;
    *list += **list != '\0';
    return true;
}

static bool is_word(const char *name, const word *text)
{
    return strlen(name) == text->length && !strncmp(name, text->at, text->length);
}

static size_t row_of(const sqa_option *options, const word *name)
{
    size_t row = 0;
    while (options[row].name && !is_word(options[row].name, name))
        row++;
    return row;
}

static bool is_given(const command_line *line, const word *name)
{
    return line->given[row_of(line->options, name)];
}

#ifndef NDEBUG
/* Every name that a row gives is that of another row. */
static bool names_exist(const sqa_option *options)
{
    word name;
    for (size_t i = 0; options[i].name; i++) {
        const char *const lists[] = {options[i].needs, options[i].excludes, options[i].only};
        for (size_t l = 0; l < sizeof lists / sizeof *lists; l++)
            for (const char *at = lists[l]; next_word(&at, "|,", &name);)
                if (!options[row_of(options, &name)].name)
                    return false;
    }
    return true;
}

static bool is_listed(const char *list, const char *name)
{
    word item;
    while (next_word(&list, ",", &item))
        if (is_word(name, &item))
            return true;
    return false;
}

static sqa_status fail_need(const sqa_option *option, const word *alternatives)
{
    sqa_text names = SQA_TEXT_INIT;
    word name;
    const char *end = alternatives->at + alternatives->length;
    for (const char *at = alternatives->at; at < end && next_word(&at, "|,", &name);) {
        const char *between = name.at == alternatives->at ? "" : at < end ? ", " : " or ";
        sqa_text_format(&names, "%s--%.*s", between, (int)name.length, name.at);
    }
    sqa_status status =
        sqa_fail(SQA_INVALID_ARGUMENT, "--%s needs %s", option->name, sqa_text_get(&names));
    sqa_text_free(&names);
    return status;
}

/* One of the alternatives is there. */
static sqa_status check_need(const command_line *line, const sqa_option *option,
                             const word *alternatives)
{
    word name;
    const char *end = alternatives->at + alternatives->length;
    for (const char *at = alternatives->at; at < end && next_word(&at, "|,", &name);)
        if (is_given(line, &name))
            return SQA_OK;
    return fail_need(option, alternatives);
}

static sqa_status check_needs(const command_line *line, const sqa_option *option)
{
    const char *needs = option->needs;
    word alternatives;
    sqa_status status = SQA_OK;
    while (status == SQA_OK && next_word(&needs, ",", &alternatives))
        status = check_need(line, option, &alternatives);
    return status;
}

static sqa_status check_excludes(const command_line *line, const sqa_option *option)
{
    const char *excludes = option->excludes;
    word name;
    while (next_word(&excludes, ",", &name))
        if (is_given(line, &name))
            return sqa_fail(SQA_INVALID_ARGUMENT, "--%s and --%.*s exclude each other",
                            option->name, (int)name.length, name.at);
    return SQA_OK;
}

static sqa_status check_only(const command_line *line, const sqa_option *option)
{
    for (size_t i = 0; option->only && line->options[i].name; i++)
        if (line->given[i] && &line->options[i] != option &&
            !is_listed(option->only, line->options[i].name))
            return sqa_fail(SQA_INVALID_ARGUMENT, "--%s does not go with --%s",
                            line->options[i].name, option->name);
    return SQA_OK;
}

sqa_status sqa_option_rules_check(const sqa_option *options, const bool *given)
{
    const command_line line = {options, given};
    sqa_status status = SQA_OK;
    assert(names_exist(options));
    for (size_t i = 0; options[i].name && status == SQA_OK; i++) {
        if (!given[i])
            continue;
        status = check_excludes(&line, &options[i]);
        if (status == SQA_OK)
            status = check_only(&line, &options[i]);
        if (status == SQA_OK)
            status = check_needs(&line, &options[i]);
    }
    return status;
}
