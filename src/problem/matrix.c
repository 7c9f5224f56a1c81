#include "problem/matrix.h"

#include "problem/checks.h"

sqa_matrix_strides sqa_matrix_packed(uint32_t rows, uint32_t columns)
{
    return (sqa_matrix_strides){(int64_t)rows * columns, columns};
}

sqa_status sqa_matrix_view(sqa_matrix_strides *out, const char *field,
                           const sqa_matrix_strides *asked, uint32_t batch, uint32_t rows,
                           uint32_t columns)
{
    const bool packed = asked->batch == 0 && asked->row == 0;
    *out = packed ? sqa_matrix_packed(rows, columns) : *asked;
    sqa_status status = sqa_check_stride(field, "batch", out->batch, batch);
    return status == SQA_OK ? sqa_check_stride(field, "row", out->row, rows) : status;
}

sqa_status sqa_matrix_check_no_overlap(const char *field, const sqa_matrix_strides *strides,
                                       uint32_t batch, uint32_t rows, uint32_t columns)
{
    return sqa_check_no_overlap(field, &(sqa_strides){strides->batch, 0, strides->row}, batch, 1,
                                rows, columns);
}
