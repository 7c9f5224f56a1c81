/* Q, K and V from files: read, held against each other, and turned into a
 * descriptor. Knows files and shapes, nothing of devices. */
#ifndef SQA_TUNER_RUN_TENSOR_FILES_H
#define SQA_TUNER_RUN_TENSOR_FILES_H

#include <stdbool.h>

#include "sqa_cl/attention.h"
#include "text/npy.h"

typedef struct sqa_tensor_files {
    const char *q_path, *k_path, *v_path;
    sqa_npy q, k, v;
    bool paged; /* K and V are (pages, heads, page, dim), and the batch is that of Q */
} sqa_tensor_files;

/* Reads all three; sets batch, heads, lengths and dimensions of *desc and leaves
 * its other members. Free the tensors also after a failure.
 * Errors: SQA_INVALID_ARGUMENT, one line that names the file and what was expected. */
sqa_status sqa_tensor_files_read(sqa_tensor_files *files, sqa_attention_desc *desc);
/* On standard error, what was done to the numbers of any of them. */
void sqa_tensor_files_note(const sqa_tensor_files *files);
void sqa_tensor_file_note(const char *option, const char *path, const sqa_npy *file);

void sqa_tensor_files_free(sqa_tensor_files *files);

/* Outputs of the descriptor's shape, zero; the caller frees them. O is a file of f2
 * where the descriptor stores f16, of f4 otherwise (NumPy has no bf16); LSE of f4. */
sqa_status sqa_output_tensor(sqa_npy *out, const sqa_attention_desc *desc);
sqa_status sqa_lse_tensor(sqa_npy *out, const sqa_attention_desc *desc);

#endif
