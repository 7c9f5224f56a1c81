/* The tensors of a layer, or of a block around one, in files: which there are, what they say of the
 * layer, and whether their shapes fit. Knows nothing of devices. */
#ifndef SQA_TUNER_RUN_LAYER_FILES_H
#define SQA_TUNER_RUN_LAYER_FILES_H

#include "operations/block/slots.h"
#include "text/command_files.h"
#include "text/npy.h"

/* LINEAR: decay, beta, states and sums of linear attention, in the order of the layer's slots. */
enum { SQA_LAYER_PATH = 4096, SQA_LAYER_LINEAR = SQA_LAYER_SUMS - SQA_LAYER_DECAY + 1 };

typedef struct sqa_layer_files {
    const char *x, *context, *weights, *dout, *grads; /* paths; NULL: not given */
    const char *linear[SQA_LAYER_LINEAR];
    bool project_decay, project_beta;
    bool qk_norm, gate;             /* what else there are weights of */
    bool block, serial, layer_norm; /* whether it is a block, and of which kind */
    char (*paths)[SQA_LAYER_PATH];  /* by slot; "": there is no such file */
    sqa_npy of[SQA_BLOCK_SLOTS];
} sqa_layer_files;

/* Whether the slot is a gradient's. */
bool sqa_layer_files_is_gradient(uint32_t slot);

/* Names the files, of which those of biases, of Wqkv and of a block's Wgate need not be there.
 * Errors: SQA_OUT_OF_MEMORY; SQA_INVALID_ARGUMENT for a path that is too long. */
sqa_status sqa_layer_files_find(sqa_layer_files *files);

/* Whether the slot is one of linear attention's, in f32; and of a last state, which is written. */
bool sqa_layer_files_is_linear(uint32_t slot);
bool sqa_layer_files_is_state(uint32_t slot);

/* The option that names the file of a slot, or its folder. */
const char *sqa_layer_files_option(uint32_t slot);

/* Every file for sqa_command_files_check(), SQA_BLOCK_SLOTS of them. */
void sqa_layer_files_name(const sqa_layer_files *files, sqa_command_file *out);

/* Reads all inputs and says what of the layer follows: widths, lengths, dimensions and storage.
 * desc->attention is `attention`, which has its heads; block->layer is `desc`, of a block.
 * Errors: SQA_INVALID_ARGUMENT, naming the file and what was expected. */
sqa_status sqa_layer_files_read(sqa_layer_files *files, sqa_block_desc *block, sqa_layer_desc *desc,
                                sqa_attention_desc *attention);

/* Whether all inputs have the shapes that the layer asks for. Errors: as above. */
sqa_status sqa_layer_files_check(const sqa_layer_files *files, const sqa_problem *forward,
                                 const sqa_problem *backward);

/* Room for what is written to the slot. */
sqa_status sqa_layer_files_make(sqa_layer_files *files, const sqa_problem *problem, uint32_t slot);

void sqa_layer_files_free(sqa_layer_files *files);

#endif
