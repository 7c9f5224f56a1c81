/* Texts of shapes made from an operation's own tables of fields, so that a key added there
 * is tried here. */
#ifndef SQA_TESTS_RANDOM_SHAPE_H
#define SQA_TESTS_RANDOM_SHAPE_H

#include "base/random.h"
#include "operations/operation.h"
#include "operations/shape.h"

/* Random keys with random values, in random order, after "op=NAME". Keys that exclude each
 * other are not together, and needs are met; whether the values fit is for the reader to say. */
void random_shape(const sqa_operation_entry *entry, sqa_random *random, char text[SQA_SHAPE_TEXT]);

/* A field with this value, no matter which, and what has to be beside it: "op=...,d=0". */
void shape_with(const sqa_operation_entry *entry, const sqa_shape_field *field, const char *value,
                char text[SQA_SHAPE_TEXT]);

#endif
