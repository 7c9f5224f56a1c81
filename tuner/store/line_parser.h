/* An exported line as a trial. Strict: UTF-8, JSON, every member once, and no other;
 * whether what it says can be true is sqa_stored_trial_validate()'s business. */
#ifndef SQA_TUNER_LINE_PARSER_H
#define SQA_TUNER_LINE_PARSER_H

#include "store/connection.h"
#include "store/line_reader.h"

/* SQLite reads the JSON. */
typedef struct sqa_line_parser {
    sqlite3_stmt *schema;      /* of the line; NULL unless it is JSON */
    sqlite3_stmt *members;     /* what a line of today must not have */
    sqlite3_stmt *old_members; /* and one of schema 1 */
    sqlite3_stmt *convert;     /* from that to today's */
    sqlite3_stmt *values;
} sqa_line_parser;

sqa_status sqa_line_parser_create(sqa_line_parser *out, sqa_store *store);
void sqa_line_parser_free(sqa_line_parser *parser);

/* Errors: SQA_INVALID_ARGUMENT for a line that is no trial, saying why. */
sqa_status sqa_line_parse(const sqa_line_parser *parser, sqa_store *store, const sqa_line *line,
                          sqa_stored_trial *out);

#endif
