/* Reads and writes shapes. Keys are tables of the operations; what combinations of them
 * mean is settled by the operation once all were read. */
#include "operations/shape.h"

#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/status.h"
#include "base/text.h"
#include "operations/operations.h"

enum { MOST_ITEMS = 64, TEXT_BYTES = 1536 };

struct sqa_shape_items {
    char text[TEXT_BYTES];
    struct {
        const sqa_shape_field *field;
        const char *value; /* within `text`; "" of a flag */
    } item[MOST_ITEMS];
    size_t count;
};

static const sqa_shape_field *find_field(const sqa_shape_field *const *tables, const char *name)
{
    for (; *tables; tables++)
        for (const sqa_shape_field *field = *tables; field->name; field++)
            if (!strcmp(field->name, name))
                return field;
    return NULL;
}

static bool is_flag(const sqa_shape_field *field)
{
    return field->kind == SQA_FIELD_FLAG || (field->kind == SQA_FIELD_OWN && field->flag);
}

/* "'x' is not a key; expected b, hq or d". */
static sqa_status unknown_key(const sqa_shape_field *const *tables, const char *name)
{
    sqa_text known = SQA_TEXT_INIT;
    const char *separator = "";
    for (; *tables; tables++)
        for (const sqa_shape_field *field = *tables; field->name; field++) {
            const bool last = !field[1].name && !tables[1];
            sqa_text_format(&known, "%s%s", last && *separator ? " or " : separator, field->name);
            separator = ", ";
        }
    sqa_status status = sqa_fail(SQA_INVALID_ARGUMENT, "'%.60s' is not a key; expected %s", name,
                                 sqa_text_get(&known));
    sqa_text_free(&known);
    return status;
}

const char *sqa_shape_item(const sqa_shape_items *items, const char *name)
{
    for (size_t i = 0; i < items->count; i++)
        if (!strcmp(items->item[i].field->name, name))
            return items->item[i].value;
    return NULL;
}

/* One item, "key=value" or "flag". */
static sqa_status add_item(char *item, const sqa_shape_field *const *tables, sqa_shape_items *items)
{
    char *equals = strchr(item, '=');
    if (equals)
        *equals = '\0';
    const sqa_shape_field *field = find_field(tables, item);
    if (!field)
        return unknown_key(tables, item);
    if (sqa_shape_item(items, item))
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s is given twice", item);
    if ((equals != NULL) == is_flag(field))
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s takes %s value", item, equals ? "no" : "a");
    if (items->count == MOST_ITEMS)
        return sqa_fail(SQA_INVALID_ARGUMENT, "more than %d keys", (int)MOST_ITEMS);
    items->item[items->count].field = field;
    items->item[items->count++].value = equals ? equals + 1 : "";
    return SQA_OK;
}

static sqa_status split_items(const char *text, const sqa_shape_field *const *tables,
                              sqa_shape_items *items)
{
    items->count = 0;
    if (strlen(text) >= sizeof items->text)
        return sqa_fail(SQA_INVALID_ARGUMENT, "longer than %zu characters", sizeof items->text - 1);
    snprintf(items->text, sizeof items->text, "%s", text);
    for (char *item = items->text, *next; item; item = next) {
        next = strchr(item, ',');
        if (next)
            *next++ = '\0';
        sqa_status status = add_item(item, tables, items);
        if (status != SQA_OK)
            return status;
    }
    return SQA_OK;
}

/* Whether any of the names in a list "a,b" is given; *found is the first. */
static bool any_given(const sqa_shape_items *items, const char *names, char found[32])
{
    while (*names) {
        const size_t length = strcspn(names, ",");
        snprintf(found, 32, "%.*s", (int)length, names);
        if (sqa_shape_item(items, found))
            return true;
        names += length + (names[length] == ',');
    }
    return false;
}

static sqa_status check_company(const sqa_shape_items *items)
{
    char other[32];
    for (size_t i = 0; i < items->count; i++) {
        const sqa_shape_field *field = items->item[i].field;
        if (field->together_with && !sqa_shape_item(items, field->together_with))
            return sqa_fail(SQA_INVALID_ARGUMENT, "%s and %s go together", field->name,
                            field->together_with);
        if (field->instead_of && any_given(items, field->instead_of, other))
            return sqa_fail(SQA_INVALID_ARGUMENT, "%s already gives %s; leave those out",
                            field->name, field->instead_of);
    }
    return SQA_OK;
}

static sqa_status check_needs(const sqa_shape_items *items, const sqa_shape_field_need *needs)
{
    char found[32];
    for (; needs->message; needs++)
        if (!any_given(items, needs->names, found))
            return sqa_fail(SQA_INVALID_ARGUMENT, "%s", needs->message);
    return SQA_OK;
}

static sqa_status read_word(const sqa_shape_field *field, const char *value, uint32_t *out)
{
    for (uint32_t i = 0; field->words[i]; i++)
        if (!strcmp(value, field->words[i])) {
            *out = i;
            return SQA_OK;
        }
    sqa_text known = SQA_TEXT_INIT;
    for (uint32_t i = 0; field->words[i]; i++)
        sqa_text_format(&known, "%s%s",
                        i == 0                ? ""
                        : field->words[i + 1] ? ", "
                                              : " or ",
                        field->words[i]);
    sqa_status status = sqa_fail(SQA_INVALID_ARGUMENT, "%s is '%.60s'; expected %s", field->name,
                                 value, sqa_text_get(&known));
    sqa_text_free(&known);
    return status;
}

static sqa_status read_field(const sqa_shape_field *field, const char *value,
                             const sqa_shape_items *items, void *descriptor)
{
    uint32_t number = 1;
    sqa_status status = SQA_OK;
    if (field->kind == SQA_FIELD_OWN)
        return field->read(value, items, descriptor);
    if (field->kind == SQA_FIELD_WORD)
        status = read_word(field, value, &number);
    else if (field->kind == SQA_FIELD_COUNT &&
             !sqa_read_count(value, field->least, field->most, &number))
        status = sqa_fail(SQA_INVALID_ARGUMENT, "%s is '%.60s'; expected a number from %u to %u",
                          field->name, value, field->least, field->most);
    if (status == SQA_OK)
        memcpy((char *)descriptor + field->offset, &number, sizeof number);
    return status;
}

/* In the order of the tables, since a key's meaning may depend on those before it. */
static sqa_status read_fields(const sqa_shape_field *const *tables, const sqa_shape_items *items,
                              void *descriptor)
{
    for (; *tables; tables++)
        for (const sqa_shape_field *field = *tables; field->name; field++) {
            const char *value = sqa_shape_item(items, field->name);
            sqa_status status = value ? read_field(field, value, items, descriptor) : SQA_OK;
            if (status != SQA_OK)
                return status;
        }
    return SQA_OK;
}

sqa_status sqa_fields_read(const sqa_shape_field *const *fields, const char *text, void *descriptor,
                           size_t descriptor_bytes)
{
    sqa_shape_items items;
    alignas(max_align_t) char changed[SQA_DESCRIPTOR_BYTES];
    memcpy(changed, descriptor, descriptor_bytes);
    sqa_status status = *text ? split_items(text, fields, &items) : SQA_OK;
    if (status == SQA_OK && *text)
        status = check_company(&items);
    if (status == SQA_OK && *text)
        status = read_fields(fields, &items, changed);
    if (status == SQA_OK)
        memcpy(descriptor, changed, descriptor_bytes);
    return status;
}

const char *sqa_shape_keys(const char *text)
{
    if (strncmp(text, "op=", 3) != 0)
        return text;
    text += strcspn(text, ",");
    return text + (*text == ',');
}

/* Takes "op=NAME" off the front of *text. */
static sqa_status read_operation(const char **text, const sqa_operation_entry **entry)
{
    char name[64];
    *entry = sqa_operation_at(0);
    if (strncmp(*text, "op=", 3) != 0)
        return SQA_OK;
    const char *value = *text + 3;
    const size_t length = strcspn(value, ",");
    snprintf(name, sizeof name, "%.*s", (int)(length < 63 ? length : 63), value);
    *entry = sqa_operation_find(name);
    *text = sqa_shape_keys(*text);
    if (*entry)
        return SQA_OK;
    sqa_text names = SQA_TEXT_INIT;
    sqa_operation_names(&names);
    sqa_status status = sqa_fail(SQA_INVALID_ARGUMENT, "op is '%s'; expected one of %s", name,
                                 sqa_text_get(&names));
    sqa_text_free(&names);
    return status;
}

static sqa_status parse(const char *text, const sqa_operation_entry **entry, void *descriptor)
{
    sqa_shape_items items;
    sqa_status status = read_operation(&text, entry);
    if (status == SQA_OK)
        status = split_items(text, (*entry)->fields, &items);
    if (status == SQA_OK)
        status = check_company(&items);
    if (status == SQA_OK)
        status = check_needs(&items, (*entry)->needs);
    if (status != SQA_OK)
        return status;
    (*entry)->start(descriptor);
    return read_fields((*entry)->fields, &items, descriptor);
}

sqa_status sqa_descriptor_parse(const char *text, const sqa_operation_entry **entry,
                                void *descriptor)
{
    sqa_status status = parse(text, entry, descriptor);
    return status == SQA_OK ? SQA_OK : sqa_fail(status, "shape: %s", sqa_last_error());
}

sqa_status sqa_problem_parse(const char *text, sqa_problem *out)
{
    const sqa_operation_entry *entry;
    alignas(max_align_t) char descriptor[SQA_DESCRIPTOR_BYTES];
    sqa_status status = parse(text, &entry, descriptor);
    if (status == SQA_OK)
        status = entry->settle(descriptor, out);
    return status == SQA_OK ? SQA_OK : sqa_fail(status, "shape: %s", sqa_last_error());
}

/* false: as it is without the key. */
static bool write_field(const sqa_shape_field *field, const void *descriptor,
                        char value[SQA_FIELD_VALUE])
{
    uint32_t number;
    if (field->kind == SQA_FIELD_OWN)
        return field->write && field->write(descriptor, value);
    memcpy(&number, (const char *)descriptor + field->offset, sizeof number);
    if (field->kind == SQA_FIELD_WORD)
        snprintf(value, SQA_FIELD_VALUE, "%s", field->words[number]);
    else
        snprintf(value, SQA_FIELD_VALUE, "%u", number);
    return number != 0 || (field->kind == SQA_FIELD_COUNT && !field->optional);
}

void sqa_fields_write(const sqa_shape_field *const *fields, const void *descriptor, char *text,
                      size_t size)
{
    size_t used = strlen(text);
    for (; *fields; fields++)
        for (const sqa_shape_field *field = *fields; field->name; field++) {
            char value[SQA_FIELD_VALUE] = "";
            if (!write_field(field, descriptor, value))
                continue;
            const bool flag = is_flag(field);
            snprintf(text + used, size - used, "%s%s%s%s", used ? "," : "", field->name,
                     flag ? "" : "=", flag ? "" : value);
            used = strlen(text);
        }
}

static sqa_shape_type type_of(const sqa_shape_field *field)
{
    return is_flag(field)                                    ? SQA_VALUE_FLAG
           : field->kind == SQA_FIELD_COUNT || field->number ? SQA_VALUE_NUMBER
                                                             : SQA_VALUE_TEXT;
}

void sqa_problem_each_field(const sqa_problem *problem, sqa_shape_visit visit, void *user)
{
    const sqa_operation_entry *entry = sqa_operation_of(problem);
    alignas(max_align_t) char descriptor[SQA_DESCRIPTOR_BYTES];
    entry->describe(problem, descriptor);
    for (const sqa_shape_field *const *table = entry->fields; *table; table++)
        for (const sqa_shape_field *field = *table; field->name; field++) {
            char value[SQA_FIELD_VALUE] = "";
            const bool given = write_field(field, descriptor, value);
            /* Numbers and words have a value in any case. */
            const bool valued = type_of(field) == SQA_VALUE_NUMBER || field->kind == SQA_FIELD_WORD;
            const bool told = given || (valued && value[0]);
            if (field->column)
                visit(user, field->column, type_of(field), told ? value : NULL);
        }
}

void sqa_problem_format(const sqa_problem *problem, char *text, size_t size)
{
    const sqa_operation_entry *entry = sqa_operation_of(problem);
    alignas(max_align_t) char descriptor[SQA_DESCRIPTOR_BYTES];
    text[0] = '\0';
    if (entry != sqa_operation_at(0))
        snprintf(text, size, "op=%s", entry->name);
    entry->describe(problem, descriptor);
    sqa_fields_write(entry->fields, descriptor, text, size);
}
