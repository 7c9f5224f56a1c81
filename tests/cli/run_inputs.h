/* What `sqa run` is given in tests: a problem as a shape, its tensors in files and in
 * memory, and the output held against the reference. */
#ifndef SQA_TESTS_RUN_INPUTS_H
#define SQA_TESTS_RUN_INPUTS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/program.h"
#include "reference/host_tensors.h"

/* Every input the shape has, random: in <name>.npy of the work folder, named as in
 * sqa_tensors, and in memory. */
typedef struct run_inputs {
    sqa_host_tensors tensors;
    sqa_reference_inputs given; /* as the reference takes them */
} run_inputs;

/* `least_rank`: biases and masks without leading dimensions of size 1. */
void make_run_inputs(run_inputs *out, const char *shape, bool least_rank);
void free_run_inputs(run_inputs *in);

/* The files again, after changes in memory. */
void save_run_inputs(const run_inputs *in, bool least_rank);

/* An array of zeros where `data` is NULL. */
void save_array(const char *name, const char *descr, uint32_t rank, const uint64_t *shape,
                const void *data, size_t element);

/* sqa run on q.npy, k.npy and v.npy to o.npy, with more options, in which @ stands
 * for the work folder. */
const program_result *run_files(const char *more);

/* sqa with a command in which %1$s stands for the work folder. */
const program_result *run_with_folder(const char *command);

bool work_file_exists(const char *name);

/* o.npy, and lse.npy where the shape has it, against the reference, row by row. */
void check_outputs(const run_inputs *in);

/* The same of any operation whose outputs are packed, by the promises of its entry. */
void check_judged(run_inputs *in);

/* One line that names what is wrong, exit 2, no output under any name. */
void check_refused(const program_result *result, const char *file, const char *message);

#endif
