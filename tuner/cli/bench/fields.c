/* See fields.h. Names here are promised to users: a field may be added,
 * never renamed. */
#include "cli/bench/fields.h"

#include <math.h>
#include <stddef.h>

#include "cli/bench/paper.h"
#include "problem/names.h"

typedef enum field_kind {
    TEXT,
    INTEGER,
    NUMBER,
    BOOLEAN,
    OPERATION,
    VARIANT,
    DTYPE,
    KV_DTYPE,
    AGAINST_DEFAULT,
    PAPER
} field_kind;

typedef enum field_when {
    ALWAYS,
    OF_VARIANTS, /* unknown of shapes, and only where there are variants */
    WITH_DEFAULT,
    WITH_PAPER,
    WITH_FAMILIES
} field_when;

#define AT(member) offsetof(sqa_bench_row, member)

static const struct {
    const char *name;
    field_kind kind;
    size_t offset; /* in the row */
    field_when when;
} fields[] = {
    {"op", OPERATION, 0, ALWAYS},
    {"variant", VARIANT, 0, OF_VARIANTS},
    {"batch", INTEGER, AT(batch), OF_VARIANTS},
    {"q_heads", INTEGER, AT(q_heads), OF_VARIANTS},
    {"kv_heads", INTEGER, AT(kv_heads), OF_VARIANTS},
    {"seq", INTEGER, AT(length), OF_VARIANTS},
    {"dim", INTEGER, AT(dim), OF_VARIANTS},
    {"dtype", DTYPE, 0, OF_VARIANTS},
    {"causal", BOOLEAN, AT(causal), OF_VARIANTS},
    {"median_ms", NUMBER, AT(median_ms), ALWAYS},
    {"spread_ms", NUMBER, AT(spread_ms), ALWAYS},
    {"best_ms", NUMBER, AT(best_ms), ALWAYS},
    {"noisy", BOOLEAN, AT(noisy), ALWAYS},
    {"gflops", NUMBER, AT(gflops), ALWAYS},
    {"gbs", NUMBER, AT(gbs), ALWAYS},
    {"ceiling_gflops", NUMBER, AT(ceiling_gflops), ALWAYS},
    {"fraction_of_ceiling", NUMBER, AT(fraction_of_ceiling), ALWAYS},
    {"speedup_vs_mha", NUMBER, AT(speedup_vs_mha), OF_VARIANTS},
    {"paper_speedup_vs_mha", PAPER, 0, WITH_PAPER},
    {"max_error", NUMBER, AT(max_error), ALWAYS},
    {"default_ms", NUMBER, AT(default_ms), WITH_DEFAULT},
    {"speedup_vs_default", AGAINST_DEFAULT, 0, WITH_DEFAULT},
    {"family", TEXT, AT(family), ALWAYS},
    {"config", TEXT, AT(config), ALWAYS},
    {"rung", TEXT, AT(rung), ALWAYS},
    {"source", TEXT, AT(source), ALWAYS},
    {"pattern", TEXT, AT(pattern), OF_VARIANTS},
    {"queries", INTEGER, AT(queries), OF_VARIANTS},
    {"shape", TEXT, AT(shape), ALWAYS},
    {"ceiling_read_gbs", NUMBER, AT(ceiling_read_gbs), ALWAYS},
    {"fraction_of_read", NUMBER, AT(fraction_of_read), ALWAYS},
    {"fraction_of_roofline", NUMBER, AT(fraction_of_roofline), ALWAYS},
    {"cache_bytes_per_token", NUMBER, AT(token_bytes), OF_VARIANTS},
    {"kv_dtype", KV_DTYPE, 0, OF_VARIANTS},
    {"shortest", INTEGER, AT(shortest), OF_VARIANTS},
    {"speedup_vs_first_family", NUMBER, AT(speedup_vs_first), WITH_FAMILIES},
};

static void set_text(sqa_field *out, const char *text)
{
    out->type = SQA_FIELD_TEXT;
    out->text = text;
}

static void set_number(sqa_field *out, double number)
{
    out->type = SQA_FIELD_NUMBER;
    out->number = number;
}

static void read_field(const sqa_bench_row *row, field_kind kind, size_t offset, sqa_field *out)
{
    const char *at = (const char *)row + offset;
    switch (kind) {
    case TEXT: set_text(out, at); break;
    case OPERATION: set_text(out, row->pass->name); break;
    case VARIANT: set_text(out, row->variant->name); break;
    case DTYPE: set_text(out, sqa_dtype_name(row->dtype)); break;
    case KV_DTYPE: set_text(out, sqa_kv_dtype_name(row->kv_dtype)); break;
    case NUMBER: set_number(out, *(const double *)(const void *)at); break;
    case AGAINST_DEFAULT: set_number(out, row->default_ms / row->median_ms); break;
    case PAPER: set_number(out, sqa_bench_paper_speedup(row->variant, row->length)); break;
    case INTEGER:
        out->type = SQA_FIELD_INTEGER;
        out->integer = *(const uint32_t *)(const void *)at;
        break;
    case BOOLEAN:
        out->type = SQA_FIELD_BOOLEAN;
        out->boolean = *(const bool *)(const void *)at;
        break;
    }
}

static bool has_field(const sqa_bench_view *view, field_when when)
{
    return when == ALWAYS || (when == OF_VARIANTS && view->options->variant_count) ||
           (when == WITH_DEFAULT && view->options->against_default) ||
           (when == WITH_PAPER && view->options->paper) ||
           (when == WITH_FAMILIES && (view->options->family_count > 1 || view->options->peer));
}

bool sqa_bench_field(const sqa_bench_view *view, const sqa_bench_row *row, size_t index,
                     sqa_field *out)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (!has_field(view, fields[i].when) || index-- > 0)
            continue;
        *out = (sqa_field){.name = fields[i].name};
        if (row && !row->variant && fields[i].when == OF_VARIANTS)
            set_text(out, NULL);
        else if (row)
            read_field(row, fields[i].kind, fields[i].offset, out);
        return true;
    }
    return false;
}
