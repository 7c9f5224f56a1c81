/* One check: run a plan on random data and hold it against the reference. Tensors lie among
 * guards that must stay intact, outputs are poisoned so that an unwritten element is found,
 * and tolerances are those promised to users. */
#ifndef SQA_TUNER_CHECK_H
#define SQA_TUNER_CHECK_H

#include "reference/judge.h"
#include "sqa_cl.h"

/* Uploads the tensors as they are now, runs the plan on them and looks everything over.
 * A violation is SQA_OK with a finding; "" when all is well. */
sqa_status sqa_check_run(sqa_plan *plan, sqa_host_tensors *tensors, cl_command_queue queue,
                         char finding[SQA_FINDING_TEXT]);

/* Checks `problem` with the kernel that `options` choose, in all rows of the outputs or in as
 * many as the operation says do. A wrong result is SQA_OK with passed == false; other statuses
 * mean that the check could not be made. */
sqa_status sqa_check(sqa_context *context, cl_command_queue queue, const sqa_problem *problem,
                     const sqa_plan_options *options, uint64_t seed, bool all_rows,
                     sqa_judgement *out);

#endif
