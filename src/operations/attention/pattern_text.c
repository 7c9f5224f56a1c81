#include "operations/attention/pattern_text.h"

#include "operations/attention/fields.h"
#include "operations/shape.h"

static const sqa_shape_field *const fields[] = {sqa_position_fields, sqa_pattern_fields,
                                                sqa_list_fields,     sqa_ragged_fields,
                                                sqa_paged_fields,    NULL};

sqa_status sqa_pattern_read(const char *text, sqa_attention_desc *desc)
{
    return sqa_fields_read(fields, text, desc, sizeof *desc);
}

void sqa_pattern_write(const sqa_attention_desc *desc, char *text, size_t size)
{
    text[0] = '\0';
    sqa_fields_write(fields, desc, text, size);
}
