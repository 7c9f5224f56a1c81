/* sqa run --op layer and --op block: an attention layer, or a transformer block around one, with
 * weights from a folder, forward, and with --dout the gradients of all that there is. */
#ifndef SQA_TUNER_RUN_LAYER_H
#define SQA_TUNER_RUN_LAYER_H

/* Their exit status. */
int sqa_run_layer(int argc, char **argv);
int sqa_run_block(int argc, char **argv);

#endif
