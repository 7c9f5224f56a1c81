/* See profile.h. Reading and writing walk one table of fields. */
#include "device/profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/subgroups.h"

typedef enum field_kind {
    FIELD_TEXT,     /* char array of `size` bytes */
    FIELD_TYPE,     /* sqa_device_type */
    FIELD_NUMBER,   /* `size` bytes wide, 4 or 8 */
    FIELD_FLAG,     /* bool, as 0 or 1 */
    FIELD_SUBGROUPS /* of sqa_device_limits */
} field_kind;

typedef struct field {
    const char *name;
    field_kind kind;
    size_t offset, size;   /* in sqa_device */
    uint64_t low, high;    /* characters of a text, or values of a number */
    const char *otherwise; /* the value where there is none; NULL: it must be given */
} field;

#define AT(member) offsetof(sqa_device, member), sizeof(((sqa_device *)0)->member)
#define TEXT(member, least) FIELD_TEXT, AT(member), least, sizeof(((sqa_device *)0)->member) - 1
#define NUMBER(member, least) FIELD_NUMBER, AT(member), least, UINT32_MAX
#define SIZE(member) FIELD_NUMBER, AT(member), 1, SIZE_MAX
#define BYTES(member) FIELD_NUMBER, AT(member), 0, UINT64_MAX
#define FLAG(member) FIELD_FLAG, AT(member), 0, 1

/* clang-format off */
static const field fields[] = {
    {"vendor", TEXT(identity.vendor, 1), NULL},
    {"architecture", TEXT(identity.architecture, 1), NULL},
    {"model", TEXT(identity.model, 1), NULL},
    {"runtime", TEXT(identity.runtime, 1), NULL},
    {"type", FIELD_TYPE, AT(strings.type), 0, 0, NULL},
    {"platform_name", TEXT(strings.platform_name, 0), ""},
    {"device_name", TEXT(strings.device_name, 1), NULL},
    {"device_vendor", TEXT(strings.device_vendor, 1), NULL},
    {"board_name", TEXT(strings.board_name, 0), ""},
    {"nv_major", NUMBER(strings.nv_major, 0), "0"},
    {"nv_minor", NUMBER(strings.nv_minor, 0), "0"},
    {"compute_units", NUMBER(strings.compute_units, 1), NULL},
    {"max_work_group_size", SIZE(limits.max_work_group_size), NULL},
    {"max_work_item_size_0", SIZE(limits.max_work_item_sizes[0]), NULL},
    {"max_work_item_size_1", SIZE(limits.max_work_item_sizes[1]), NULL},
    {"max_work_item_size_2", SIZE(limits.max_work_item_sizes[2]), NULL},
    {"local_memory_bytes", BYTES(limits.local_memory_bytes), NULL},
    {"local_memory_is_global", FLAG(limits.local_memory_is_global), NULL},
    {"vector_width_float", NUMBER(limits.vector_width_float, 1), "1"},
    {"has_fp64", FLAG(limits.has_fp64), "0"},
    {"has_compiler", FLAG(limits.has_compiler), "1"},
    {"subgroups", FIELD_SUBGROUPS, AT(limits), 0, 0, ""},
    {"global_memory_bytes", BYTES(limits.global_memory_bytes), NULL},
    {"max_allocation_bytes", BYTES(limits.max_allocation_bytes), NULL},
    {"wavefront_width", NUMBER(limits.wavefront_width, 0), "0"},
    {"unit_registers", NUMBER(limits.unit_registers, 0), "0"},
    {"unit_local_memory_bytes", BYTES(limits.unit_local_memory_bytes), "0"},
    {"platform_version", TEXT(strings.platform_version, 0), ""},
    {"device_version", TEXT(strings.device_version, 0), ""},
    {"driver_version", TEXT(strings.driver_version, 0), ""},
};
/* clang-format on */
enum { FIELD_COUNT = sizeof fields / sizeof *fields };

_Static_assert(sizeof(sqa_device_type) == sizeof(int), "a type is written as int");

static uint64_t number_at(const field *of, const void *at)
{
    uint64_t wide = 0;
    uint32_t narrow = 0;
    memcpy(of->size == sizeof wide ? (void *)&wide : (void *)&narrow, at, of->size);
    return of->size == sizeof wide ? wide : narrow;
}

static bool has_control_characters(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

static sqa_status write_value(sqa_text *out, const field *of, const sqa_device *device)
{
    const void *at = (const char *)device + of->offset;
    char subgroups[SQA_SUBGROUP_TEXT];
    switch (of->kind) {
    case FIELD_TEXT:
        if (has_control_characters(at))
            return sqa_fail(SQA_UNSUPPORTED,
                            "%s of the device has control characters, which a profile cannot",
                            of->name);
        sqa_text_append(out, at);
        break;
    case FIELD_TYPE: sqa_text_append(out, sqa_device_type_name(device->strings.type)); break;
    case FIELD_NUMBER: sqa_text_format(out, "%" PRIu64, number_at(of, at)); break;
    case FIELD_FLAG: sqa_text_append(out, *(const bool *)at ? "1" : "0"); break;
    case FIELD_SUBGROUPS:
        sqa_subgroups_format(at, subgroups);
        sqa_text_append(out, subgroups);
        break;
    }
    return SQA_OK;
}

sqa_status sqa_profile_write(sqa_text *out, const sqa_device *device)
{
    for (int i = 0; i < FIELD_COUNT; i++) {
        sqa_text_format(out, "%s=", fields[i].name);
        sqa_status status = write_value(out, &fields[i], device);
        if (status != SQA_OK)
            return status;
        sqa_text_append(out, "\n");
    }
    return sqa_text_status(out);
}

static sqa_status read_number(const field *of, const char *text, void *out)
{
    char *end = NULL;
    errno = 0;
    const uint64_t value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || value < of->low || value > of->high)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "%s is '%.40s'; expected a number from %" PRIu64 " to %" PRIu64, of->name,
                        text, of->low, of->high);
    const uint32_t narrow = (uint32_t)value;
    const bool flag = value == 1;
    memcpy(out,
           of->size == sizeof value  ? (const void *)&value
           : of->size == sizeof flag ? (const void *)&flag
                                     : (const void *)&narrow,
           of->size);
    return SQA_OK;
}

static sqa_status read_text(const field *of, const char *text, char *out)
{
    const size_t length = strlen(text);
    if (length < of->low || length > of->high)
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "%s has %zu characters; expected %" PRIu64 " to %" PRIu64, of->name, length,
                        of->low, of->high);
    if (has_control_characters(text))
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s has control characters", of->name);
    memcpy(out, text, length + 1);
    return SQA_OK;
}

static sqa_status read_type(const char *text, sqa_device_type *out)
{
    for (int type = SQA_DEVICE_CPU; type <= SQA_DEVICE_OTHER; type++)
        if (!strcmp(text, sqa_device_type_name((sqa_device_type)type))) {
            *out = (sqa_device_type)type;
            return SQA_OK;
        }
    return sqa_fail(SQA_INVALID_ARGUMENT,
                    "type is '%.40s'; expected cpu, gpu, accelerator or other", text);
}

static sqa_status read_value(const field *of, const char *text, sqa_device *out)
{
    void *at = (char *)out + of->offset;
    switch (of->kind) {
    case FIELD_TEXT: return read_text(of, text, at);
    case FIELD_TYPE: return read_type(text, at);
    case FIELD_NUMBER:
    case FIELD_FLAG: return read_number(of, text, at);
    case FIELD_SUBGROUPS:
        if (sqa_subgroups_parse(text, at))
            return SQA_OK;
        return sqa_fail(SQA_INVALID_ARGUMENT,
                        "%s is '%.40s'; expected nothing, 'fixed SIZE' or 'choice SIZE,SIZE,...', "
                        "sizes from 1 to 65536",
                        of->name, text);
    }
    return SQA_OK;
}

static int find_field(const char *name)
{
    int i = 0;
    while (i < FIELD_COUNT && strcmp(fields[i].name, name) != 0)
        i++;
    return i;
}

/* "key=value", cut in two here. */
static sqa_status read_line(char *line, bool given[FIELD_COUNT], sqa_device *out)
{
    char *value = strchr(line, '=');
    if (!value)
        return sqa_fail(SQA_INVALID_ARGUMENT, "'%.40s' is not key=value", line);
    *value++ = '\0';
    const int i = find_field(line);
    if (i == FIELD_COUNT)
        return sqa_fail(SQA_INVALID_ARGUMENT, "'%.40s' is no key of a device profile", line);
    if (given[i])
        return sqa_fail(SQA_INVALID_ARGUMENT, "%s is given twice", fields[i].name);
    given[i] = true;
    return read_value(&fields[i], value, out);
}

static sqa_status read_lines(char *text, bool given[FIELD_COUNT], sqa_device *out)
{
    sqa_status status = SQA_OK;
    for (size_t number = 1; *text && status == SQA_OK; number++) {
        char *end = text + strcspn(text, "\n"), *next = end + (*end == '\n');
        *end = '\0';
        if (*text && *text != '#')
            status = read_line(text, given, out);
        if (status != SQA_OK) {
            char why[512];
            snprintf(why, sizeof why, "%s", sqa_last_error());
            sqa_fail(status, "line %zu: %s", number, why);
        }
        text = next;
    }
    return status;
}

static sqa_status fill_in(const bool given[FIELD_COUNT], sqa_device *out)
{
    sqa_status status = SQA_OK;
    for (int i = 0; i < FIELD_COUNT && status == SQA_OK; i++)
        if (!given[i])
            status = fields[i].otherwise
                         ? read_value(&fields[i], fields[i].otherwise, out)
                         : sqa_fail(SQA_INVALID_ARGUMENT, "%s is missing", fields[i].name);
    return status;
}

sqa_status sqa_profile_read(const char *text, sqa_device *out)
{
    bool given[FIELD_COUNT] = {false};
    sqa_device device;
    memset(&device, 0, sizeof device);
    char *lines = strdup(text);
    if (!lines)
        return sqa_fail_memory("a device profile");
    sqa_status status = read_lines(lines, given, &device);
    free(lines);
    if (status == SQA_OK)
        status = fill_in(given, &device);
    if (status == SQA_OK)
        *out = device;
    return status;
}
