#include "device/subgroups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const leads[2] = {"fixed ", "choice "};

enum { SIZES = sizeof((sqa_device_limits *)0)->subgroup_sizes / sizeof(uint32_t) };

void sqa_subgroups_format(const sqa_device_limits *limits, char out[SQA_SUBGROUP_TEXT])
{
    int used = 0;
    out[0] = 0;
    for (int i = 0; i < SIZES && limits->subgroup_sizes[i]; i++)
        used +=
            snprintf(out + used, SQA_SUBGROUP_TEXT - (size_t)used, "%s%u",
                     i ? "," : leads[limits->subgroup_size_on_request], limits->subgroup_sizes[i]);
}

bool sqa_subgroups_parse(const char *text, sqa_device_limits *limits)
{
    bool choice = !strncmp(text, leads[1], strlen(leads[1]));
    memset(limits->subgroup_sizes, 0, sizeof limits->subgroup_sizes);
    limits->subgroup_size_on_request = choice;
    if (!*text)
        return true;
    if (strncmp(text, leads[choice], strlen(leads[choice])))
        return false;
    const char *at = text + strlen(leads[choice]);
    for (int i = 0; i < SIZES && *at; i++, at += *at == ',') {
        char *end = NULL;
        unsigned long size = strtoul(at, &end, 10);
        limits->subgroup_sizes[i] = size <= 65536 ? (uint32_t)size : 0;
        at = end;
    }
    /* One text per meaning: no signs, blanks, leading zeros or things left over. */
    char again[SQA_SUBGROUP_TEXT];
    sqa_subgroups_format(limits, again);
    return limits->subgroup_sizes[0] && !strcmp(again, text);
}

const char *sqa_subgroup_standard(const sqa_device_strings *strings)
{
    static const struct {
        const char *version, *standard;
    } known[] = {{"OpenCL 3.", "CL3.0"}, {"OpenCL 2.", "CL2.0"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strncmp(strings->device_version, known[i].version, strlen(known[i].version)))
            return known[i].standard;
    return "CL1.2";
}
