/* What follows from the arguments of every forward kernel, SQA_FORWARD_ARGUMENTS. The host
 * prints that list from the table that it fills the launch by
 * (src/kernels/forward_arguments.c). What a problem does not have (see
 * include/sqa_cl/pattern.h) is no argument of its kernel. */
#ifndef SQA_CAUSAL
#define SQA_CAUSAL 0
#endif
#ifndef SQA_WINDOW
#define SQA_WINDOW 0
#endif
#ifndef SQA_GLOBALS
#define SQA_GLOBALS 0
#endif
#ifndef SQA_GLOBAL_LIST
#define SQA_GLOBAL_LIST 0
#endif
#ifndef SQA_BLOCKS
#define SQA_BLOCKS 0
#endif
#ifndef SQA_KEY_MASK
#define SQA_KEY_MASK 0
#endif
#ifndef SQA_PAIR_MASK
#define SQA_PAIR_MASK 0
#endif
#ifndef SQA_RAGGED
#define SQA_RAGGED 0
#endif
#ifndef SQA_PAGED
#define SQA_PAGED 0
#endif
#ifndef SQA_SOFTCAP
#define SQA_SOFTCAP 0
#endif
#ifndef SQA_ALIBI
#define SQA_ALIBI 0
#endif
#ifndef SQA_SLOPES
#define SQA_SLOPES 0
#endif
#ifndef SQA_BIAS
#define SQA_BIAS 0
#endif
#ifndef SQA_BIAS_DTYPE
#define SQA_BIAS_DTYPE 0
#endif
#ifndef SQA_SINKS
#define SQA_SINKS 0
#endif
#ifndef SQA_WRITE_LSE
#define SQA_WRITE_LSE 0
#endif

typedef SQA_STORAGE(SQA_STORED_, SQA_BIAS_DTYPE) sqa_bias_stored;
#define SQA_BIAS_LOAD(i, p) SQA_STORAGE(SQA_LOAD_, SQA_BIAS_DTYPE)(i, p)
#define SQA_BIAS_LOAD4(i, p) SQA_STORAGE(SQA_LOADN_, SQA_BIAS_DTYPE)(4, i, p)
#define SQA_BIAS_LOAD8(i, p) SQA_STORAGE(SQA_LOADN_, SQA_BIAS_DTYPE)(8, i, p)

/* Every kernel begins with SQA_SEQUENCE(batch). Where sequences have lengths of their own, it
 * finds out where the sequence lies and how long it is; starts and lengths that make no sense are
 * cut to ones that stay within the tensors. */
#if SQA_RAGGED
#define SQA_Q_LENGTHS(batch)                                                                       \
    const int q_begin = clamp(cu_q_buffer[cu_q_offset + (batch)], 0, q_total);                     \
    const int q_length =                                                                           \
        min(clamp(cu_q_buffer[cu_q_offset + (batch) + 1], q_begin, q_total) - q_begin, q_longest);
#define SQA_LONGEST q_longest
#define SQA_Q_SEQUENCE(b) (q_begin * q_row)
#define SQA_O_SEQUENCE(b) (q_begin * o_row)
#define SQA_LSE_ROW(b, h) (lse_buffer + lse_offset + (h) * (long)q_total + q_begin)
#else
#define SQA_Q_LENGTHS(batch)
#define SQA_LONGEST q_length
#define SQA_Q_SEQUENCE(b) ((b)*q_batch)
#define SQA_O_SEQUENCE(b) ((b)*o_batch)
#define SQA_LSE_ROW(b, h) (lse_buffer + lse_offset + ((b)*out_heads + (h)) * (long)q_length)
#endif

#if SQA_PAGED
#define SQA_KV_LENGTHS(batch)                                                                      \
    const int kv_length = clamp(kv_lengths_buffer[kv_lengths_offset + (batch)], 0, kv_longest);    \
    const sqa_pages key_pages = {block_table_buffer + block_table_offset +                         \
                                     (batch) * (long)((kv_longest + page_size - 1) / page_size),   \
                                 page_size, pages - 1};
#define SQA_K_SEQUENCE(b) 0
#define SQA_V_SEQUENCE(b) 0
#elif SQA_RAGGED
#define SQA_KV_LENGTHS(batch)                                                                      \
    const int kv_begin = clamp(cu_kv_buffer[cu_kv_offset + (batch)], 0, kv_total);                 \
    const int kv_length =                                                                          \
        min(clamp(cu_kv_buffer[cu_kv_offset + (batch) + 1], kv_begin, kv_total) - kv_begin,        \
            kv_longest);
#define SQA_K_SEQUENCE(b) (kv_begin * k_row)
#define SQA_V_SEQUENCE(b) (kv_begin * v_row)
#else
#define SQA_KV_LENGTHS(batch)
#define SQA_K_SEQUENCE(b) ((b)*k_batch)
#define SQA_V_SEQUENCE(b) ((b)*v_batch)
#endif

#if SQA_PAGED || SQA_RAGGED
#define SQA_KEYS_LONGEST kv_longest
#define SQA_SEQUENCE(batch)                                                                        \
    SQA_Q_LENGTHS(batch)                                                                           \
    SQA_KV_LENGTHS(batch)                                                                          \
    const int diagonal = bottom_right ? kv_length - q_length : 0;
#else
#define SQA_KEYS_LONGEST kv_length
#define SQA_SEQUENCE(batch)
#endif

/* Where key j of the sequence lies, in elements from the matrix of K or V: SQA_K_AT(j), and so on.
 * Kernels that step from key to key in other ways do so where keys lie in one row (!SQA_PAGED). */
#if SQA_PAGED
typedef struct {
    __global const int *table;
    int size, last; /* keys of a page; the last page there is */
} sqa_pages;

INLINE long sqa_page_at(const sqa_pages pages, const int number, const long page_stride)
{
    return clamp(pages.table[number], 0, pages.last) * page_stride;
}

INLINE long sqa_key_at(const sqa_pages pages, const int key, const long page_stride, const long row)
{
    const int number = key / pages.size;
    return sqa_page_at(pages, number, page_stride) + (key - number * pages.size) * row;
}
#define SQA_K_AT(j) sqa_key_at(key_pages, j, k_batch, k_row)
#define SQA_V_AT(j) sqa_key_at(key_pages, j, v_batch, v_row)
#else
#define SQA_K_AT(j) ((j)*k_row)
#define SQA_V_AT(j) ((j)*v_row)
#endif

/* First element of the matrices that output head h of batch b works on. */
#define SQA_Q_MATRIX(b, h) (q_buffer + q_offset + SQA_Q_SEQUENCE(b) + ((h) % q_heads) * q_head)
#define SQA_K_MATRIX(b, h) (k_buffer + k_offset + SQA_K_SEQUENCE(b) + ((h) / group) * k_head)
#define SQA_V_MATRIX(b, h) (v_buffer + v_offset + SQA_V_SEQUENCE(b) + ((h) / group) * v_head)
#define SQA_O_MATRIX(b, h) (o_buffer + o_offset + SQA_O_SEQUENCE(b) + (h)*o_head)
