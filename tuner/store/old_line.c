#include "store/old_line.h"

#include "store/columns.h"

/* Members of a problem, in the order of shape_of_version_2() (store/shape_functions.h). */
static const char *const members[] = {
    "operation", "dtype",     "head_dim", "value_dim", "batch",     "q_heads", "kv_heads",
    "q_length",  "kv_length", "causal",   "pattern",   "write_lse", "layout",
};
enum { MEMBERS = sizeof members / sizeof *members };

void sqa_old_line_members(sqa_text *sql)
{
    sqa_text_append(sql, "'$.schema', '$.device', '$.environment', '$.problem', '$.trial'");
    for (size_t i = 0; i < sqa_column_count; i++)
        if (sqa_columns[i].line && sqa_columns[i].since == 1)
            sqa_text_format(sql, ", '$.%s.%s'", sqa_columns[i].line, sqa_columns[i].name);
    for (int i = 0; i < MEMBERS; i++)
        sqa_text_format(sql, ", '$.problem.%s'", members[i]);
}

void sqa_old_line_convert(sqa_text *sql)
{
    sqa_text_append(sql, "json_set(?1, '$.schema', 2, '$.problem', json_object('operation',"
                         " json_extract(?1, '$.problem.operation'), 'shape', shape_of_version_2(");
    for (int i = 0; i < MEMBERS; i++)
        sqa_text_format(sql, "%sjson_extract(?1, '$.problem.%s')", i ? ", " : "", members[i]);
    sqa_text_append(sql, ")))");
}
