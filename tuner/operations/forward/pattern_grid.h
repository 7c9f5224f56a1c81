/* Masks, windows, block lists, ragged batches, biases and sinks in combination: cases
 * in which every value of every axis meets every value of every other at least
 * once (pairwise coverage), made by rule from a table of axes, of few programs. */
#ifndef SQA_TUNER_PATTERN_GRID_H
#define SQA_TUNER_PATTERN_GRID_H

#include "operations/forward/grid.h"

enum { SQA_PATTERN_AXES = 18 };

typedef struct sqa_pattern_case {
    sqa_grid_case test;
    uint8_t value[SQA_PATTERN_AXES]; /* the number of each axis' value */
    uint32_t program;                /* equal where one program is all that it takes */
} sqa_pattern_case;

typedef struct sqa_pattern_grid {
    sqa_pattern_case *cases;
    size_t count;
} sqa_pattern_grid;

/* TINY and SAMPLE: the first few cases, TINY with lengths for an interpreter. QUICK:
 * all pairs once. FULL: four times, with different company. */
sqa_status sqa_pattern_grid_create(sqa_pattern_grid *out, sqa_grid_size size);
void sqa_pattern_grid_free(sqa_pattern_grid *grid);

/* The same case with its keys in a row, for operations that take no pages. */
sqa_grid_case sqa_pattern_without_pages(const sqa_pattern_case *c);

/* Values that an axis has. */
size_t sqa_pattern_value_count(size_t axis);

/* Whether two values of two axes can meet at all. */
bool sqa_pattern_can_meet(size_t axis, size_t value, size_t other_axis, size_t other_value);

#endif
