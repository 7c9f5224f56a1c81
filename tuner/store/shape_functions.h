/* Shapes of problems in SQL, for migrations and for lines of older versions:
 *
 *   shape_fields(shape)      the items of the text as a JSON object
 *   shape_flop(shape)        floating-point operations of the problem; NULL: not a problem here
 *   shape_bytes(shape)       bytes it has to move at least; NULL also for strides not known
 *   shape_of_version_2(operation, dtype, head_dim, value_dim, batch, q_heads, kv_heads,
 *                      q_length, kv_length, causal, pattern, write_lse, layout)
 *                            the shape that these columns meant up to schema 2 */
#ifndef SQA_TUNER_SHAPE_FUNCTIONS_H
#define SQA_TUNER_SHAPE_FUNCTIONS_H

#include <sqlite3.h>

#include "base/text.h"

/* An SQLite result code. */
int sqa_shape_functions_define(sqlite3 *database);

/* The same JSON: "b=1,causal,window=8:0" is {"b":1,"causal":true,"window":"8:0"}. A pure
 * matter of text, which knows no key; "op=NAME" in front is left out. */
void sqa_shape_fields(const char *shape, sqa_text *json);

#endif
