/* Writes one JSON document, indented, as it goes. Keys are NULL inside arrays.
 * Numbers that are not finite become null; strings are escaped and invalid UTF-8
 * replaced. */
#ifndef SQA_TUNER_TEXT_JSON_H
#define SQA_TUNER_TEXT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct sqa_json {
    FILE *file;
    int depth;
    bool empty[16];  /* per depth: nothing written in it yet */
    char closer[16]; /* per depth: what ends it */
} sqa_json;

/* Opens the document's outermost object and writes "schema": 1, or another version where
 * members that were promised have changed. */
void sqa_json_begin(sqa_json *json, FILE *file);
void sqa_json_begin_version(sqa_json *json, FILE *file, int schema);
/* Closes whatever is still open and ends the line. */
void sqa_json_finish(sqa_json *json);

void sqa_json_object(sqa_json *json, const char *key);
void sqa_json_array(sqa_json *json, const char *key);
void sqa_json_close(sqa_json *json); /* the innermost object or array */

void sqa_json_string(sqa_json *json, const char *key, const char *value); /* NULL: null */
void sqa_json_number(sqa_json *json, const char *key, double value);
void sqa_json_integer(sqa_json *json, const char *key, int64_t value);
void sqa_json_boolean(sqa_json *json, const char *key, bool value);

#endif
