#include "runtime/choose.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/registry.h"

static sqa_status choose_override(sqa_choices *out, const sqa_device *device,
                                  const sqa_problem *problem, const sqa_plan_options *options)
{
    const sqa_kernel_family *family = sqa_family_find(problem->operation, options->family);
    if (!family) {
        sqa_text names = SQA_TEXT_INIT;
        sqa_family_names(problem->operation, &names);
        sqa_fail(SQA_INVALID_ARGUMENT, "options.family: '%.40s' is not one of %s", options->family,
                 sqa_text_get(&names));
        sqa_text_free(&names);
        return SQA_INVALID_ARGUMENT;
    }
    const char *why = "";
    if (!family->supports(problem, device, &why))
        return sqa_fail(SQA_UNSUPPORTED,
                        "options.family: %s does not support this problem here: %s", family->name,
                        why);
    sqa_choice *choice = &out->items[out->count++];
    *choice = (sqa_choice){.family = family, .rung = SQA_RUNG_OVERRIDE, .source = "override"};
    family->default_config(problem, device, &choice->config);
    if (options->config) {
        sqa_status status = sqa_config_parse(family, options->config, &choice->config);
        if (status != SQA_OK)
            return status;
    }
    if (!sqa_family_accepts(family, &choice->config, problem, device, &why))
        return sqa_fail(SQA_INVALID_ARGUMENT, "options.config: '%s' cannot run here: %s",
                        options->config ? options->config : "", why);
    return SQA_OK;
}

/* Whether the row was measured, and so found right, under other circumstances, or never. */
static bool is_borrowed(const sqa_tuning_row *row, const sqa_problem_class *wanted,
                        const sqa_device *device)
{
    return row->modelled > 0 || !sqa_problem_class_same_kinds(&row->problem_class, wanted) ||
           strcmp(row->driver_version, device->strings.driver_version) != 0 ||
           strcmp(row->identity.model, device->identity.model) != 0 ||
           strcmp(row->identity.architecture, device->identity.architecture) != 0;
}

/* What was measured here has been found right. */
static const char *refuse_unproven(const sqa_tuning_table *table, const sqa_choice *choice,
                                   char why[SQA_PROBE_WHY])
{
    return !choice->borrowed || sqa_probe_allows(&table->probes, choice->family, why) ? NULL : why;
}

static void choose_rows(sqa_choices *out, const sqa_device *device, const sqa_tuning_table *table,
                        const sqa_problem *problem)
{
    enum { MAX_ROWS = 8 };
    sqa_candidate candidates[MAX_ROWS];
    sqa_problem_class wanted = sqa_problem_class_of(problem);
    size_t count = sqa_lookup(table, device, &wanted, SQA_BORROWED_MOST, candidates, MAX_ROWS);
    for (size_t i = 0; i < count; i++) {
        const sqa_tuning_row *row = candidates[i].row;
        sqa_choice choice = {.rung = candidates[i].rung,
                             .source = sqa_tuning_source_name(row->source),
                             .row = row,
                             .borrowed = is_borrowed(row, &wanted, device)};
        char unproven[SQA_PROBE_WHY];
        const char *why = sqa_family_recall(row->family, row->space_version, row->config, problem,
                                            device, &choice.family, &choice.config);
        if (!why)
            why = refuse_unproven(table, &choice, unproven);
        if (why)
            sqa_text_format(&out->passed_over, "%s %s(%s) passed over: %s; ",
                            sqa_rung_name(choice.rung), row->family, row->config, why);
        else
            out->items[out->count++] = choice;
    }
}

/* What is there to run on a device that compiles nothing, in the manifest's order. A
 * file that is nobody's measurement is checked before its first use. */
static void choose_prebuilt(sqa_choices *out, const sqa_device *device,
                            const sqa_prebuilt *prebuilt, const sqa_problem *problem)
{
    enum { MOST_PREBUILT = 4 };
    const sqa_manifest *manifest = sqa_prebuilt_manifest(prebuilt);
    size_t found = 0;
    for (size_t i = 0; i < manifest->count && found < MOST_PREBUILT; i++) {
        sqa_choice choice = {.rung = SQA_RUNG_PREBUILT, .source = "prebuilt", .borrowed = true};
        if (sqa_prebuilt_config(&manifest->entries[i], problem, device, &choice.family,
                                &choice.config)) {
            out->items[out->count++] = choice;
            found++;
        }
    }
}

/* How well a search does from a bad start is for tests to see: $SQA_CL_TEST_DEFAULT, as
 * FAMILY:NAME=value,..., changes what a family has as its default. */
static void spoil(const sqa_kernel_family *family, sqa_config *config)
{
#ifdef SQA_CL_TEST_SWITCHES
    const char *text = getenv("SQA_CL_TEST_DEFAULT");
    const size_t length = strlen(family->name);
    if (text && !strncmp(text, family->name, length) && text[length] == ':')
        sqa_config_parse(family, text + length + 1, config);
#else
    (void)family, (void)config;
#endif
}

/* Whether a family's default may be used; that it may not is told where nothing comes before. */
static bool is_proven(sqa_choices *out, const sqa_probe_answers *probes,
                      const sqa_kernel_family *family)
{
    char why[SQA_PROBE_WHY];
    const bool proven = sqa_probe_allows(probes, family, why);
    if (!proven && !out->count)
        sqa_text_format(&out->passed_over, "%s passed over: %s; ", family->name, why);
    return proven;
}

static void choose_defaults(sqa_choices *out, const sqa_device *device,
                            const sqa_probe_answers *probes, const sqa_problem *problem)
{
    const char *why = NULL;
    for (size_t i = 0; i < sqa_family_count(); i++) {
        const sqa_kernel_family *family = sqa_family_at(i);
        if (family->operation != problem->operation || !family->supports(problem, device, &why) ||
            out->count == SQA_MAX_CHOICES || !is_proven(out, probes, family))
            continue;
        sqa_choice choice = {.family = family,
                             .rung = SQA_RUNG_DEFAULT,
                             .source = "default",
                             .borrowed = family->probes != NULL};
        family->default_config(problem, device, &choice.config);
        spoil(family, &choice.config);
        if (sqa_family_accepts(family, &choice.config, problem, device, &why))
            out->items[out->count++] = choice;
    }
    if (out->count > 0 && out->items[out->count - 1].rung == SQA_RUNG_DEFAULT)
        out->items[out->count - 1].rung = SQA_RUNG_NAIVE;
}

sqa_status sqa_choose(sqa_choices *out, const sqa_device *device, const sqa_tuning_table *table,
                      const sqa_prebuilt *prebuilt, const sqa_problem *problem,
                      const sqa_plan_options *options)
{
    memset(out, 0, sizeof *out);
    if (options && options->family)
        return choose_override(out, device, problem, options);
    const bool reads = !options || !options->skip_database;
    if (reads)
        choose_rows(out, device, table, problem);
    if (!device->limits.has_compiler)
        choose_prebuilt(out, device, prebuilt, problem);
    choose_defaults(out, device, reads ? &table->probes : NULL, problem);
    return sqa_text_status(&out->passed_over);
}
