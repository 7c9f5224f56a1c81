/* Values that shapes of several operations have keys for: factors, strides, caches. */
#ifndef SQA_OPERATIONS_FIELD_VALUES_H
#define SQA_OPERATIONS_FIELD_VALUES_H

#include "operations/field.h"
#include "sqa_cl/matmul.h"

/* A finite number. Errors as of `read` of a field. */
sqa_status sqa_field_read_float(const char *name, const char *value, float *out);
/* false where it is the usual one. */
bool sqa_field_write_float(float number, float usual, char value[SQA_FIELD_VALUE]);

/* "BATCH:ROW"; packed ones are not written. */
sqa_status sqa_field_read_matrix(const char *name, const char *value, sqa_matrix_strides *out);
bool sqa_field_write_matrix(const sqa_matrix_strides *strides, uint32_t rows, uint32_t columns,
                            char value[SQA_FIELD_VALUE]);

/* "BATCH:HEAD:SEQUENCE", likewise. */
sqa_status sqa_field_read_view(const char *name, const char *value, sqa_strides *out);
bool sqa_field_write_view(const sqa_strides *strides, uint32_t heads, uint32_t length, uint32_t dim,
                          char value[SQA_FIELD_VALUE]);

/* How a cache is stored, -1 where that is as all else is, which is not written. */
sqa_status sqa_field_read_kv_dtype(const char *name, const char *value, int32_t *out);
bool sqa_field_write_kv_dtype(int32_t kv_dtype, sqa_dtype dtype, char value[SQA_FIELD_VALUE]);

/* Pages of a cache of `capacity` keys a sequence, and how many there are: as many as all sequences
 * take, unless that is said. Without pages nothing is written. */
sqa_status sqa_field_read_page(const char *value, uint32_t batch, uint32_t capacity,
                               sqa_paged *out);
bool sqa_field_write_page(const sqa_paged *paged, char value[SQA_FIELD_VALUE]);
sqa_status sqa_field_read_pages(const char *name, const char *value, uint32_t *out);
bool sqa_field_write_pages(const sqa_paged *paged, uint32_t batch, uint32_t capacity,
                           char value[SQA_FIELD_VALUE]);

/* read_KEY() and write_KEY() of a field; `desc` is the descriptor in what follows `member`. */
#define SQA_KEY(key, type, member, read, write)                                                    \
    static sqa_status read_##key(const char *value, const sqa_shape_items *items,                  \
                                 void *descriptor)                                                 \
    {                                                                                              \
        (void)items;                                                                               \
        return read(#key, value, &((type *)descriptor)->member);                                   \
    }                                                                                              \
    static bool write_##key(const void *descriptor, char value[SQA_FIELD_VALUE])                   \
    {                                                                                              \
        const type *desc = descriptor;                                                             \
        return write;                                                                              \
    }
#define SQA_FLOAT_KEY(key, type, member, usual)                                                    \
    SQA_KEY(key, type, member, sqa_field_read_float,                                               \
            sqa_field_write_float(desc->member, usual, value))
#define SQA_MATRIX_KEY(key, type, member, rows, columns)                                           \
    SQA_KEY(key, type, member, sqa_field_read_matrix,                                              \
            sqa_field_write_matrix(&desc->member, rows, columns, value))
#define SQA_VIEW_KEY(key, type, member, heads, length, dim)                                        \
    SQA_KEY(key, type, member, sqa_field_read_view,                                                \
            sqa_field_write_view(&desc->member, heads, length, dim, value))
#define SQA_PAGE_KEYS(type, capacity)                                                              \
    static sqa_status read_page(const char *value, const sqa_shape_items *items, void *descriptor) \
    {                                                                                              \
        type *desc = descriptor;                                                                   \
        (void)items;                                                                               \
        return sqa_field_read_page(value, desc->batch, desc->capacity, &desc->paged);              \
    }                                                                                              \
    static bool write_page(const void *descriptor, char value[SQA_FIELD_VALUE])                    \
    {                                                                                              \
        return sqa_field_write_page(&((const type *)descriptor)->paged, value);                    \
    }                                                                                              \
    SQA_KEY(pages, type, paged.pages, sqa_field_read_pages,                                        \
            sqa_field_write_pages(&desc->paged, desc->batch, desc->capacity, value))

#endif
