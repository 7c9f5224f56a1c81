/* What a stored problem is about, as named values for tables, JSON and CSV: the parts of
 * its class key and the items of its shape, whatever its operation. */
#ifndef SQA_TUNER_DB_PROBLEM_VALUES_H
#define SQA_TUNER_DB_PROBLEM_VALUES_H

#include <stddef.h>

#include "store/stored_trial.h"
#include "text/field.h"
#include "text/named_values.h"

enum { SQA_MOST_PROBLEM_VALUES = 64 };

typedef struct sqa_problem_values {
    sqa_named_value items[SQA_MOST_PROBLEM_VALUES]; /* named as columns and members are */
    size_t count;
} sqa_problem_values;

/* Of the class key, of the shape, of both: what both name is the key's. */
void sqa_problem_values_of_class(sqa_problem_values *out, const sqa_stored_trial *trial);
void sqa_problem_values_of_shape(sqa_problem_values *out, const sqa_stored_trial *trial);
void sqa_problem_values_of(sqa_problem_values *out, const sqa_stored_trial *trial);

/* A number, true for a flag, else a text; borrows from the item. */
sqa_field sqa_problem_value_field(const sqa_named_value *item);

/* The members of an open JSON object. */
void sqa_problem_values_write_json(const sqa_problem_values *values, sqa_json *json);

/* The names that the values of some trials have, in the order of their first sight: the
 * columns of a CSV whose rows may be of different operations. */
typedef struct sqa_value_names {
    char names[SQA_MOST_PROBLEM_VALUES][sizeof((sqa_named_value *)0)->name];
    size_t count;
} sqa_value_names;

void sqa_value_names_add(sqa_value_names *names, const sqa_problem_values *values);

/* A field per name, empty where there is no value of it; borrows from both. */
void sqa_value_names_fields(const sqa_value_names *names, const sqa_problem_values *values,
                            sqa_field *out);

#endif
