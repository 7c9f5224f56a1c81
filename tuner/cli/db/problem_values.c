#include "cli/db/problem_values.h"

#include <stdio.h>
#include <string.h>

/* Names are promised to users: members and columns were called so before shapes were
 * stored as text. What is not listed goes by its own name. */
typedef struct long_name {
    const char *key, *name;
} long_name;

static const long_name class_names[] = {
    {"d", "head_dim"}, {"dv", "value_dim"}, {"group", "group_size"},
    {"q", "q_bucket"}, {"kv", "kv_bucket"}, {"rows", "rows_bucket"},
    {NULL, NULL},
};
static const long_name shape_names[] = {
    {"b", "batch"},
    {"hq", "q_heads"},
    {"hkv", "kv_heads"},
    {"nq", "q_length"},
    {"nk", "kv_length"},
    {"d", "head_dim"},
    {"dv", "value_dim"},
    {"mask", "pair_mask"},
    {"keymask", "key_mask"},
    {"lse", "write_lse"},
    {"topk", "top_k"},
    {"sinkblocks", "sink_blocks"},
    {"localblocks", "local_blocks"},
    {NULL, NULL},
};

static const sqa_named_value *find(const sqa_problem_values *values, const char *name)
{
    for (size_t i = 0; i < values->count; i++)
        if (!strcmp(values->items[i].name, name))
            return &values->items[i];
    return NULL;
}

static void add(sqa_problem_values *out, const char *text, const long_name *names)
{
    sqa_named_value item;
    while (out->count < SQA_MOST_PROBLEM_VALUES && sqa_named_value_next(&text, &item)) {
        for (const long_name *name = names; name->key; name++)
            if (!strcmp(item.name, name->key)) {
                snprintf(item.name, sizeof item.name, "%s", name->name);
                break;
            }
        if (strcmp(item.name, "op") != 0 && !find(out, item.name))
            out->items[out->count++] = item;
    }
}

void sqa_problem_values_of_class(sqa_problem_values *out, const sqa_stored_trial *trial)
{
    out->count = 0;
    add(out, trial->class_key, class_names);
}

void sqa_problem_values_of_shape(sqa_problem_values *out, const sqa_stored_trial *trial)
{
    out->count = 0;
    add(out, trial->shape, shape_names);
}

void sqa_problem_values_of(sqa_problem_values *out, const sqa_stored_trial *trial)
{
    sqa_problem_values_of_class(out, trial);
    add(out, trial->shape, shape_names);
}

sqa_field sqa_problem_value_field(const sqa_named_value *item)
{
    int64_t integer;
    double number;
    if (item->flag)
        return sqa_field_boolean(item->name, true);
    if (sqa_named_value_integer(item, &integer))
        return sqa_field_integer(item->name, integer);
    if (sqa_named_value_number(item, &number))
        return sqa_field_number(item->name, number);
    return sqa_field_text(item->name, item->value);
}

void sqa_problem_values_write_json(const sqa_problem_values *values, sqa_json *json)
{
    for (size_t i = 0; i < values->count; i++) {
        const sqa_field field = sqa_problem_value_field(&values->items[i]);
        sqa_field_write_json(json, &field);
    }
}

void sqa_value_names_add(sqa_value_names *names, const sqa_problem_values *values)
{
    for (size_t i = 0; i < values->count && names->count < SQA_MOST_PROBLEM_VALUES; i++) {
        size_t at = 0;
        while (at < names->count && strcmp(names->names[at], values->items[i].name) != 0)
            at++;
        if (at == names->count)
            memcpy(names->names[names->count++], values->items[i].name, sizeof names->names[0]);
    }
}

void sqa_value_names_fields(const sqa_value_names *names, const sqa_problem_values *values,
                            sqa_field *out)
{
    for (size_t i = 0; i < names->count; i++) {
        const sqa_named_value *item = find(values, names->names[i]);
        out[i] = item ? sqa_problem_value_field(item) : sqa_field_text(names->names[i], NULL);
    }
}
