/* Problems as schemas 1 and 2 had them, in a column per field of attention. */
#ifndef SQA_TUNER_OLD_SHAPE_H
#define SQA_TUNER_OLD_SHAPE_H

#include <sqlite3.h>

#define SQA_OLD_SHAPE_COLUMNS 13

/* The function shape_of_version_2() of SQL; see store/shape_functions.h. */
void sqa_old_shape_call(sqlite3_context *call, int count, sqlite3_value **values);

#endif
