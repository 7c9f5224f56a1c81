#include "unit/random_shape.h"

#include <stdio.h>
#include <string.h>

#include "run_suite.h"

enum { MOST_FIELDS = 64, MOST_VALUES = 9 };

/* Values of the keys that read them in a way of their own; some fit one operation only. */
static const struct {
    const char *name;
    const char *values[MOST_VALUES];
} samples[] = {
    {"hq", {"4", "1", "2", "6", "8"}},
    {"nq", {"70", "1", "37", "300", "1000", "0"}},
    {"n", {"70", "1", "33", "129", "1025", "0"}},
    {"variant", {"mha", "gqa", "mqa", "sqa", "xsqa", "lsqa", "rsqa"}},
    {"h", {"8", "16"}},
    {"dv", {"8", "1", "40", "512"}},
    {"kv", {"f32", "f16", "bf16", "int8", "int4"}},
    {"products", {"f32", "tf32"}},
    {"scale", {"0.25", "-0.1", "1e-30"}},
    {"causal", {""}},
    {"align", {"top-left", "bottom-right"}},
    {"window", {"5:7", "0:-1", "-1:3", "17:0", "300:300"}},
    {"globals", {"3", "list4", "0"}},
    {"softcap", {"1.5", "30"}},
    {"dropout", {"0.1", "0.5", "0", "0.999999"}},
    {"alibi", {"geometric", "slopes"}},
    {"bias", {"f32/bhq", "f16/hq", "bf16/", "f32/b", "f16/9:0:1000"}},
    {"mask", {"bhq", "q", "h", "", "0:7:77"}},
    {"blocks", {"16x8", "8x8/k", "7x5/h", "16x8@0.5/h", "7x5@0.3/bk", "24x40@0.6", "64x64@0"}},
    {"ragged", {"90:140", "20:20", "0:0"}},
    {"page", {"16", "1", "5", "64", "256", "1000"}},
    {"pages", {"40", "1000", "0"}},
    {"layout", {"bhsd", "bshd"}},
    {"q", {"4000000:500000:515", "0:0:1000"}},
    {"k", {"4000000:515:4200", "0:0:512"}},
    {"v", {"0:9000:600", "1:2:3"}},
    {"o", {"99000000:9000000:600", "0:0:8"}},
    {"grads",
     {"bias", "q", "k+v", "q+k+bias+sinks", "sinks", "slopes", "bias+sinks", "x", "wo+bo"}},
    {"grad_o", {"0:0:0", "0:7:600", "99000000:9000000:600"}},
    {"grad_q", {"4000000:500000:515", "99000000:1000:70000"}},
    {"grad_k", {"4000000:500000:515", "99000000:1000:70000"}},
    {"grad_v", {"4000000:500000:515", "99000000:1000:70000"}},
    {"grad_bias", {"0:0:0", "0:0:5000", "0:900000:3000"}},
    {"total", {"90", "20", "0"}},
    {"kc", {"4000000:500000:515", "99000000:1000:70000"}},
    {"vc", {"4000000:500000:515", "99000000:1000:70000"}},
    {"rotary", {"4", "2", "0", "64"}},
    {"base", {"500000", "1", "1e9"}},
    {"positions", {"100", "0"}},
    {"eps", {"1e-6", "0.1", "1e-12"}},
    {"ropebase", {"500000", "1", "1e9"}},
    {"ropedim", {"4", "2", "0", "64"}},
    {"atend", {"0", "3", "1"}},
    {"qkeps", {"1e-6", "0.1", "1e-12"}},
    {"norm_eps", {"1e-6", "0.1", "1e-12"}},
    {"dy", {"0:0:0", "0:7:600", "99000000:9000000:600"}},
    {"dx", {"4000000:500000:515", "99000000:1000:70000"}},
    {"x", {"4000000:500000:515", "0:0:0", "0:7:600"}},
    {"y", {"4000000:500000:515", "99000000:9000000:600"}},
    {"alpha", {"0.5", "-2", "0"}},
    {"beta", {"1", "-0.5", "0"}},
    {"sa", {"0:0", "0:8", "1000000:700", "3:1"}},
    {"sb", {"0:0", "0:8", "1000000:700", "3:1"}},
    {"sc", {"0:0", "1000000:700", "100:1000000"}},
    {"oa", {"0:0:0", "0:7:600", "99000000:9000000:600"}},
    {"ob", {"0:0:0", "4000000:515:70000"}},
    {"sr", {"0:0", "0:8", "1000000:700"}},
    {"sy", {"0:0", "1000000:700", "100:1000000"}},
    {"wanted", {"a", "b", "a+b"}},
    {"eps", {"0.001", "1e-6", "1"}},
    {"sdecay", {"0:0:0", "0:7:600", "99000000:1000:70000"}},
    {"sbeta", {"0:0:0", "0:7:60", "99000000:1:70"}},
};

static const char *sample_of(const sqa_shape_field *field, uint32_t number)
{
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        if (!strcmp(samples[i].name, field->name)) {
            uint32_t count = 0;
            while (count < MOST_VALUES && samples[i].values[count])
                count++;
            return samples[i].values[number % count];
        }
    ck_abort_msg("there are no values to try '%s' with", field->name);
    return NULL;
}

/* A value that the field alone takes; small counts are the likely ones. */
static void value_of(const sqa_shape_field *field, uint32_t number, char out[SQA_FIELD_VALUE])
{
    static const uint32_t counts[] = {2, 1, 4, 3, 8, 64, 100};
    uint32_t words = 0;
    switch (field->kind) {
    case SQA_FIELD_COUNT: {
        const uint32_t count = counts[number % 7];
        snprintf(out, SQA_FIELD_VALUE, "%u", count < field->least ? field->least : count);
        return;
    }
    case SQA_FIELD_FLAG: out[0] = '\0'; return;
    case SQA_FIELD_WORD:
        while (field->words[words])
            words++;
        snprintf(out, SQA_FIELD_VALUE, "%s", field->words[number % words]);
        return;
    case SQA_FIELD_OWN: snprintf(out, SQA_FIELD_VALUE, "%s", sample_of(field, number)); return;
    }
}

/* Which of an operation's fields a text has. */
typedef struct choice {
    const sqa_shape_field *field[MOST_FIELDS];
    bool chosen[MOST_FIELDS];
    size_t count;
} choice;

static size_t find(const choice *c, const char *name, size_t length)
{
    for (size_t i = 0; i < c->count; i++)
        if (strlen(c->field[i]->name) == length && !strncmp(c->field[i]->name, name, length))
            return i;
    ck_abort_msg("'%.*s' is no field of the operation", (int)length, name);
    return 0;
}

static void start(choice *c, const sqa_operation_entry *entry)
{
    *c = (choice){.count = 0};
    for (const sqa_shape_field *const *table = entry->fields; *table; table++)
        for (const sqa_shape_field *field = *table; field->name; field++) {
            ck_assert_uint_lt(c->count, MOST_FIELDS);
            c->field[c->count++] = field;
        }
}

/* With what has to be beside it, without what it stands for. */
static void choose(choice *c, size_t index)
{
    const sqa_shape_field *field = c->field[index];
    if (c->chosen[index])
        return;
    c->chosen[index] = true;
    for (const char *name = field->instead_of; name && *name;) {
        const size_t length = strcspn(name, ",");
        c->chosen[find(c, name, length)] = false;
        name += length + (name[length] == ',');
    }
    if (field->together_with)
        choose(c, find(c, field->together_with, strlen(field->together_with)));
}

/* How many of the names "a,b" are chosen. */
static size_t chosen_of(const choice *c, const char *names)
{
    size_t count = 0;
    for (const char *name = names; name && *name;) {
        const size_t length = strcspn(name, ",");
        count += c->chosen[find(c, name, length)];
        name += length + (name[length] == ',');
    }
    return count;
}

/* Takes the first of the names "a,b" that stands for none chosen. */
static void meet(choice *c, const char *names)
{
    for (const char *name = names; *name && !chosen_of(c, names);) {
        const size_t length = strcspn(name, ","), index = find(c, name, length);
        if (!chosen_of(c, c->field[index]->instead_of))
            choose(c, index);
        name += length + (name[length] == ',');
    }
}

static void meet_needs(choice *c, const sqa_operation_entry *entry)
{
    for (const sqa_shape_field_need *need = entry->needs; need->message; need++)
        meet(c, need->names);
}

static void append(char text[SQA_SHAPE_TEXT], const sqa_shape_field *field, const char *value)
{
    const bool flag =
        field->kind == SQA_FIELD_FLAG || (field->kind == SQA_FIELD_OWN && field->flag);
    const size_t used = strlen(text);
    const int length = snprintf(text + used, SQA_SHAPE_TEXT - used, ",%s%s%s", field->name,
                                flag && !*value ? "" : "=", value);
    ck_assert_uint_lt(used + (size_t)length, SQA_SHAPE_TEXT);
}

void random_shape(const sqa_operation_entry *entry, sqa_random *random, char text[SQA_SHAPE_TEXT])
{
    choice c;
    size_t order[MOST_FIELDS];
    char value[SQA_FIELD_VALUE];
    start(&c, entry);
    for (size_t i = 0; i < c.count; i++)
        if (sqa_random_below(random, 4) == 0)
            choose(&c, i);
    meet_needs(&c, entry);
    for (size_t i = 0; i < c.count; i++) {
        const size_t other = (size_t)sqa_random_below(random, i + 1);
        order[i] = order[other];
        order[other] = i;
    }
    snprintf(text, SQA_SHAPE_TEXT, "op=%s", entry->name);
    for (size_t i = 0; i < c.count; i++)
        if (c.chosen[order[i]]) {
            value_of(c.field[order[i]], (uint32_t)sqa_random_below(random, 420), value);
            append(text, c.field[order[i]], value);
        }
}

void shape_with(const sqa_operation_entry *entry, const sqa_shape_field *field, const char *value,
                char text[SQA_SHAPE_TEXT])
{
    choice c;
    char other[SQA_FIELD_VALUE];
    start(&c, entry);
    choose(&c, find(&c, field->name, strlen(field->name)));
    meet_needs(&c, entry);
    snprintf(text, SQA_SHAPE_TEXT, "op=%s", entry->name);
    for (size_t i = 0; i < c.count; i++)
        if (c.field[i] == field) {
            append(text, field, value);
        } else if (c.chosen[i]) {
            value_of(c.field[i], 0, other);
            append(text, c.field[i], other);
        }
}
