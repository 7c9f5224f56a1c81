/* Problems as text, the form of --shape, of every listing and of the tuning database:
 * "op=NAME,key=value,flag,...". Without op= it is forward attention. Which keys there are
 * is a table of each operation; the order in a text does not matter, but for op=, which
 * comes first. A text that is written here reads back as the very same problem. */
#ifndef SQA_OPERATIONS_SHAPE_H
#define SQA_OPERATIONS_SHAPE_H

#include <stddef.h>

#include "operations/operation.h"

#define SQA_SHAPE_TEXT 1280       /* bytes that any problem's text fits in */
#define SQA_DESCRIPTOR_BYTES 1024 /* and any operation's descriptor */

/* Errors: SQA_INVALID_ARGUMENT, SQA_UNSUPPORTED, naming the key and its range. */
sqa_status sqa_problem_parse(const char *text, sqa_problem *out);

/* A shape's keys, behind "op=NAME," where that stands before them. */
const char *sqa_shape_keys(const char *text);

/* The inverse: what is as it would be without a key is left out. */
void sqa_problem_format(const sqa_problem *problem, char *text, size_t size);

/* What a field of a problem is for those who show it. */
typedef enum sqa_shape_type { SQA_VALUE_NUMBER, SQA_VALUE_FLAG, SQA_VALUE_TEXT } sqa_shape_type;

/* Visits every field that a problem of its operation has, by its long name. `value` as in the
 * text; NULL: as it is without the key. */
typedef void (*sqa_shape_visit)(void *user, const char *column, sqa_shape_type type,
                                const char *value);
void sqa_problem_each_field(const sqa_problem *problem, sqa_shape_visit visit, void *user);

/* The text as a descriptor of the operation that its op= names, which goes to *entry.
 * `descriptor`: SQA_DESCRIPTOR_BYTES, aligned for anything. */
sqa_status sqa_descriptor_parse(const char *text, const sqa_operation_entry **entry,
                                void *descriptor);

/* The keys of these tables alone: into a descriptor in which all others are set
 * (errors leave it as it was), and out of one, cut off where they do not fit. */
sqa_status sqa_fields_read(const sqa_shape_field *const *fields, const char *text, void *descriptor,
                           size_t descriptor_bytes);
void sqa_fields_write(const sqa_shape_field *const *fields, const void *descriptor, char *text,
                      size_t size);

#endif
