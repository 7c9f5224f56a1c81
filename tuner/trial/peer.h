/* Another library that computes the same, timed in the rounds of `sqa bench`: a child process
 * that makes tensors of its own as a row says, and times itself when it is asked to. The
 * scripts are tuner/trial/peers/. Nothing here is needed for anything else. */
#ifndef SQA_TUNER_PEER_H
#define SQA_TUNER_PEER_H

#include "base/embedded.h"
#include "trial/bench.h"
#include "trial/measure.h"

extern const sqa_embedded_file sqa_embedded_peers[]; /* tuner/trial/peers/ */

#define SQA_PEER_TEXT 64 /* what it calls itself: "torch 2.9.0, 2 threads" */

typedef struct sqa_peer sqa_peer;

/* Whether there is a peer of this name. Errors: SQA_INVALID_ARGUMENT, with the names. */
sqa_status sqa_peer_find(const char *name);

/* Whether it is one for rows of the pass: of a model's variants, or of shapes alone. */
bool sqa_peer_is_for(const char *name, const sqa_timed_pass *pass, bool variants);

/* What rows it is for, and by what options they are asked for. */
const char *sqa_peer_rows(const char *name);

/* Starts it; it may have `threads`, where it can be told. Errors: SQA_UNSUPPORTED where it is not
 * installed, saying what was missing. */
sqa_status sqa_peer_start(sqa_peer **out, const char *name, uint32_t threads);
void sqa_peer_stop(sqa_peer *peer);
const char *sqa_peer_title(const sqa_peer *peer);

/* Lets it make what the row needs, and warm up; *number names it from then on.
 * Errors: SQA_UNSUPPORTED where it has no such thing, saying why. */
sqa_status sqa_peer_prepare(sqa_peer *peer, const sqa_bench_row *row, unsigned *number);

/* Errors: SQA_UNSUPPORTED when it has ended, with its last words. */
sqa_status sqa_peer_sample(sqa_peer *peer, unsigned number, sqa_sample *out);

#endif
