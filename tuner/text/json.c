/* JSON text, written as it goes; nothing is kept but the nesting. Knows no schema
 * besides the version number that opens every document. */
#include "text/json.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/utf8.h"

static void write_escaped(FILE *file, const char *value)
{
    static const char escaped[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    fputc('"', file);
    for (const unsigned char *at = (const unsigned char *)value; *at;) {
        const char *found = strchr(escaped, *at);
        size_t length = sqa_utf8_length((const char *)at);
        if (found)
            fprintf(file, "\\%c", letters[found - escaped]);
        else if (length == 0)
            fputs("\\ufffd", file);
        else if (*at < 0x20 || *at == 0x7f)
            fprintf(file, "\\u%04x", *at);
        else
            fwrite(at, 1, length, file);
        at += length ? length : 1;
    }
    fputc('"', file);
}

/* What comes before every value: separator, line, indentation, key. */
static void write_lead(sqa_json *json, const char *key)
{
    assert((key == NULL) == (json->closer[json->depth] == ']'));
    if (!json->empty[json->depth])
        fputc(',', json->file);
    json->empty[json->depth] = false;
    fprintf(json->file, "\n%*s", 2 * (json->depth + 1), "");
    if (key) {
        write_escaped(json->file, key);
        fputs(": ", json->file);
    }
}

static void open_nested(sqa_json *json, const char *key, char opener, char closer)
{
    write_lead(json, key);
    fputc(opener, json->file);
    assert(json->depth + 1 < (int)sizeof json->closer);
    if (json->depth + 1 < (int)sizeof json->closer)
        json->depth++;
    json->empty[json->depth] = true;
    json->closer[json->depth] = closer;
}

void sqa_json_begin(sqa_json *json, FILE *file)
{
    sqa_json_begin_version(json, file, 1);
}

void sqa_json_begin_version(sqa_json *json, FILE *file, int schema)
{
    *json = (sqa_json){.file = file};
    json->empty[0] = true;
    json->closer[0] = '}';
    fputc('{', file);
    sqa_json_integer(json, "schema", schema);
}

void sqa_json_finish(sqa_json *json)
{
    while (json->depth > 0)
        sqa_json_close(json);
    fputs("\n}\n", json->file);
}

void sqa_json_object(sqa_json *json, const char *key)
{
    open_nested(json, key, '{', '}');
}

void sqa_json_array(sqa_json *json, const char *key)
{
    open_nested(json, key, '[', ']');
}

void sqa_json_close(sqa_json *json)
{
    if (json->depth == 0)
        return;
    if (!json->empty[json->depth])
        fprintf(json->file, "\n%*s", 2 * json->depth, "");
    fputc(json->closer[json->depth], json->file);
    json->depth--;
}

void sqa_json_string(sqa_json *json, const char *key, const char *value)
{
    write_lead(json, key);
    if (value)
        write_escaped(json->file, value);
    else
        fputs("null", json->file);
}

void sqa_json_number(sqa_json *json, const char *key, double value)
{
    write_lead(json, key);
    if (isfinite(value))
        fprintf(json->file, "%.9g", value);
    else
        fputs("null", json->file);
}

void sqa_json_integer(sqa_json *json, const char *key, int64_t value)
{
    write_lead(json, key);
    fprintf(json->file, "%lld", (long long)value);
}

void sqa_json_boolean(sqa_json *json, const char *key, bool value)
{
    write_lead(json, key);
    fputs(value ? "true" : "false", json->file);
}
