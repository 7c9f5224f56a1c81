/* sqa run --op layer: an attention layer with weights from a folder, forward, and with --dout the
 * gradients of all that there is. */
#ifndef SQA_TUNER_RUN_LAYER_H
#define SQA_TUNER_RUN_LAYER_H

/* Its exit status. */
int sqa_run_layer(int argc, char **argv);

#endif
