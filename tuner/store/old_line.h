/* Lines of schema 1, in which a problem was a member per field of attention, as lines of
 * today: what was contributed stays of use. */
#ifndef SQA_TUNER_OLD_LINE_H
#define SQA_TUNER_OLD_LINE_H

#include "base/text.h"

/* SQL: "'$.schema', '$.device', ..." of every member that such a line may have. */
void sqa_old_line_members(sqa_text *sql);

/* SQL: the same line, bound as ?1, in the form of today. It fails for a problem whose
 * members are missing or not of their types. */
void sqa_old_line_convert(sqa_text *sql);

#endif
