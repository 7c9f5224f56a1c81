/* See peer.h. */
#include "trial/peer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "problem/names.h"
#include "trial/bench_rows.h"
#include "trial/child.h"

/* Importing a large library from a slow disk; a row on a slow machine. */
#define START_SECONDS 120.0
#define ANSWER_SECONDS 600.0

struct sqa_peer {
    sqa_child child;
    const char *name;
    char title[SQA_PEER_TEXT];
    unsigned rows;
};

typedef struct peer_kind {
    const char *name, *script;
    const char *operation; /* whose shapes it takes; NULL: it takes variants */
    const char *rows;
} peer_kind;

static const peer_kind peers[] = {
    {"torch", "torch.py", NULL, "variants; expected an --op that has them, and no --shape"},
    {"openblas", "openblas.py", "matmul", "matrix products; expected --op matmul"},
};
enum { PEERS = sizeof peers / sizeof *peers };

static const peer_kind *find(const char *name)
{
    for (size_t i = 0; i < PEERS; i++)
        if (!strcmp(peers[i].name, name))
            return &peers[i];
    return NULL;
}

sqa_status sqa_peer_find(const char *name)
{
    char names[64] = "";
    for (size_t i = 0; i < PEERS; i++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "",
                 peers[i].name);
    if (find(name))
        return SQA_OK;
    return sqa_fail(SQA_INVALID_ARGUMENT, "--peer is '%s'; expected %s", name, names);
}

bool sqa_peer_is_for(const char *name, const sqa_timed_pass *pass, bool variants)
{
    const char *operation = find(name)->operation;
    return operation ? !variants && !strcmp(pass->name, operation) : variants;
}

const char *sqa_peer_rows(const char *name)
{
    return find(name)->rows;
}

static sqa_status fail_gone(sqa_peer *peer)
{
    char words[SQA_CHILD_LINE], ending[64];
    sqa_child_last_words(&peer->child, words, sizeof words);
    sqa_child_stop(&peer->child, true, ending, sizeof ending);
    return sqa_fail(SQA_UNSUPPORTED, "--peer %s: python3: %s", peer->name,
                    words[0] ? words : "no answer; it has to be in $PATH, with the package");
}

static sqa_status receive(sqa_peer *peer, double seconds, char line[SQA_CHILD_LINE])
{
    const double deadline = sqa_clock_seconds() + seconds;
    return sqa_child_receive(&peer->child, deadline, line) == SQA_ANSWER_LINE ? SQA_OK
                                                                              : fail_gone(peer);
}

static sqa_status ask(sqa_peer *peer, const char *question, char line[SQA_CHILD_LINE])
{
    return sqa_child_send(&peer->child, question) ? receive(peer, ANSWER_SECONDS, line)
                                                  : fail_gone(peer);
}

sqa_status sqa_peer_start(sqa_peer **out, const char *name, uint32_t threads)
{
    char python[] = "python3", option[] = "-c", units[16], line[SQA_CHILD_LINE];
    sqa_peer *peer = calloc(1, sizeof *peer);
    char *script = strdup(sqa_embedded_text(sqa_embedded_peers, find(name)->script));
    *out = NULL;
    if (!peer || !script) {
        free(peer);
        free(script);
        return sqa_fail_memory("the peer");
    }
    peer->child = (sqa_child)SQA_CHILD_INIT;
    peer->name = name;
    snprintf(units, sizeof units, "%u", threads);
    sqa_status status =
        sqa_child_start(&peer->child, (char *const[]){python, option, script, units, NULL}, 0);
    free(script);
    if (status == SQA_OK)
        status = receive(peer, START_SECONDS, line);
    if (status == SQA_OK)
        snprintf(peer->title, sizeof peer->title, "%.63s", line);
    if (status == SQA_OK)
        *out = peer;
    else
        sqa_peer_stop(peer);
    return status;
}

void sqa_peer_stop(sqa_peer *peer)
{
    if (peer)
        sqa_child_stop(&peer->child, false, NULL, 0);
    free(peer);
}

const char *sqa_peer_title(const sqa_peer *peer)
{
    return peer->title;
}

/* What a peer's row is told of a pattern; anything else is not compared. */
static sqa_status check_pattern(const sqa_peer *peer, const char *pattern)
{
    static const char *const compared[] = {
        "causal",     "dmodel",    "fused", "biases",   "rope",    "ropebase",  "ropedim",
        "ropeoffset", "qknorm",    "qkeps", "gate",     "kind",    "mlp",       "act",
        "gated",      "mlpbiases", "norm",  "norm_eps", "feature", "normalise", "eps"};
    const char *key;
    size_t length;
    while (sqa_bench_next_key(&pattern, &key, &length)) {
        bool known = false;
        for (size_t i = 0; i < sizeof compared / sizeof *compared; i++)
            known = known || sqa_bench_key_is(key, length, compared[i]);
        if (!known)
            return sqa_fail(
                SQA_UNSUPPORTED,
                "--peer %s: of attention nothing but a causal mask is compared, of "
                "layers and blocks all but contexts and tensors of positions, of linear "
                "attention its features, normalise and eps, not "
                "%.*s",
                peer->name, (int)length, key);
    }
    return SQA_OK;
}

sqa_status sqa_peer_prepare(sqa_peer *peer, const sqa_bench_row *row, unsigned *number)
{
    static const char refusal[] = "cannot ";
    char question[SQA_SHAPE_TEXT + 256], line[SQA_CHILD_LINE];
    sqa_status status = row->variant ? check_pattern(peer, row->pattern) : SQA_OK;
    if (status != SQA_OK)
        return status;
    if (row->variant)
        snprintf(question, sizeof question, "row %s %u %u %u %u %u %u %s %s\n", row->pass->name,
                 row->batch, row->q_heads, row->kv_heads, row->queries, row->length, row->dim,
                 sqa_dtype_name(row->dtype), *row->pattern ? row->pattern : "-");
    else
        snprintf(question, sizeof question, "shape %s %s\n", row->pass->name, row->shape);
    status = ask(peer, question, line);
    if (status == SQA_OK && !strncmp(line, refusal, sizeof refusal - 1))
        status =
            sqa_fail(SQA_UNSUPPORTED, "--peer %s: %s: %s", peer->name,
                     row->variant ? row->variant->name : row->shape, line + sizeof refusal - 1);
    if (status == SQA_OK)
        *number = peer->rows++;
    return status;
}

sqa_status sqa_peer_sample(sqa_peer *peer, unsigned number, sqa_sample *out)
{
    char question[32], line[SQA_CHILD_LINE];
    double ms = 0.0;
    snprintf(question, sizeof question, "sample %u\n", number);
    sqa_status status = ask(peer, question, line);
    if (status == SQA_OK && (sscanf(line, "ms %lf", &ms) != 1 || !(ms > 0.0)))
        status = sqa_fail(SQA_UNSUPPORTED, "--peer %s answered '%.60s'", peer->name, line);
    *out = (sqa_sample){ms, (double)NAN};
    return status;
}
