/* What is asked of each row of `sqa bench`, and which rows are compared with one another.
 * Measures nothing. */
#ifndef SQA_TUNER_BENCH_ROWS_H
#define SQA_TUNER_BENCH_ROWS_H

#include "trial/bench.h"

/* The rows of one group: those of a length, dimension, batch and storage, or of a shape. */
typedef struct sqa_bench_rows {
    uint32_t length, dim, batch; /* 0: of a shape */
    sqa_dtype kv_dtype;
    sqa_bench_row *items;
    size_t count;
} sqa_bench_rows;

size_t sqa_bench_group_count(const sqa_bench_options *options);

/* Of the model whose variants are compared; false: the group is a shape's. */
bool sqa_bench_group_sizes(const sqa_bench_options *options, size_t group, uint32_t *length,
                           uint32_t *dim, uint32_t *batch, sqa_dtype *kv_dtype);

/* Lays out the rows of a group, by passes, families and variants; MHA is among the variants in
 * any case, since speed-ups are against it. *out is to be freed, whatever is returned.
 * Errors: SQA_INVALID_ARGUMENT, SQA_UNSUPPORTED, naming the key of the shape. */
sqa_status sqa_bench_rows_lay_out(const sqa_bench_options *options, size_t group,
                                  sqa_bench_rows *out);
void sqa_bench_rows_free(sqa_bench_rows *rows);

/* "xsqa at length 1024", "m=64,n=64,k=64": which row it is, in messages. */
void sqa_bench_row_name(const sqa_bench_row *row, char *out, size_t size);

/* Whether the shapes of all parts have the keys that variants set. */
bool sqa_bench_has_variants(const sqa_timed_pass *pass);

/* The window of variants that have one. */
sqa_window sqa_bench_window(const sqa_bench_options *options);

/* Queries of every length; 0: as many as keys. */
uint32_t sqa_bench_queries(const sqa_bench_options *options, const sqa_timed_pass *pass);

/* Whether all parts are of attention with a query of its own length, as latent attention is. */
bool sqa_bench_has_latents(const sqa_timed_pass *pass);

/* Whether shapes of the operation have a key of this name. */
bool sqa_bench_has_field(const sqa_operation_entry *operation, const char *name);

/* Whether its operations are a model's layers, which have a width. */
bool sqa_bench_is_layer(const sqa_timed_pass *pass);

/* The key at *pattern, which moves on to the next; false: there is none. */
bool sqa_bench_next_key(const char **pattern, const char **key, size_t *length);
bool sqa_bench_key_is(const char *key, size_t length, const char *name);

/* Whether the keys of a pattern have one of this name. */
bool sqa_bench_has_key(const char *pattern, const char *name);

#endif
