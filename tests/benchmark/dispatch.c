/* What the library adds to an enqueue, in microseconds: clEnqueueNDRangeKernel alone on
 * a plan's kernels with every argument set, sqa_forward() on the plan, and
 * sqa_attention_forward(), which finds the plan by its descriptor. All three do the same
 * work; rounds alternate between them and an empty kernel. Of a problem that is tiny, and
 * of a token of generation that has few before it: first the calls alone, then with what
 * they enqueue, one at a time from the call to the end of clFinish.
 *   dispatch [ROUNDS [CALLS]]     CALLS a round, 100 rounds of 100 otherwise
 * `same` hands in the same buffers at every call, `other` two sets in turn, as a
 * program with double buffers would. The context has as many plans as it keeps. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/device_option.h"
#include "operations/attention/slots.h"
#include "runtime/context.h"
#include "runtime/plan.h"
#include "sqa_cl.h"

enum { SETS = 2, PLANS = 256, MOST_ROUNDS = 10000 };

typedef struct shape {
    const char *name;
    uint32_t heads, queries, keys, dim;
} shape;

static const shape shapes[] = {
    {"4 queries on 4 keys, a head of 8", 1, 4, 4, 8},
    {"a query on 128 keys, 8 heads of 64", 8, 1, 128, 64},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct bench {
    const shape *shape;
    sqa_context *context;
    cl_command_queue queue;
    sqa_attention_desc desc;
    sqa_plan *plan;
    sqa_kernel_set kernels; /* of the plan's program, for the bare enqueue */
    cl_program empty_program;
    cl_kernel empty;
    sqa_tensors tensors[SETS];
} bench;

static void must(sqa_status status, const char *what)
{
    if (status == SQA_OK)
        return;
    fprintf(stderr, "dispatch: %s: %s\n", what, sqa_last_error());
    exit(EXIT_FAILURE);
}

static void must_cl(cl_int code, const char *what)
{
    if (code == CL_SUCCESS)
        return;
    fprintf(stderr, "dispatch: %s: %d\n", what, code);
    exit(EXIT_FAILURE);
}

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

static void call_empty(bench *b, int set)
{
    const size_t one = 1;
    (void)set;
    must_cl(clEnqueueNDRangeKernel(b->queue, b->empty, 1, NULL, &one, NULL, 0, NULL, NULL),
            "clEnqueueNDRangeKernel");
}

static void call_bare(bench *b, int set)
{
    (void)set;
    for (uint32_t i = 0; i < b->plan->stages[0].leaf->launch.step_count; i++) {
        const sqa_launch_step *step = &b->plan->stages[0].leaf->launch.steps[i];
        must_cl(clEnqueueNDRangeKernel(b->queue, b->kernels.kernels[i], step->dimensions, NULL,
                                       step->global, step->local[0] ? step->local : NULL, 0, NULL,
                                       NULL),
                "clEnqueueNDRangeKernel");
    }
}

static void call_plan(bench *b, int set)
{
    must(sqa_forward(b->plan, b->queue, &b->tensors[set], 0, NULL, NULL), "sqa_forward");
}

static void call_descriptor(bench *b, int set)
{
    must(sqa_attention_forward(b->context, b->queue, &b->desc, &b->tensors[set], 0, NULL, NULL),
         "sqa_attention_forward");
}

static const struct way {
    const char *name;
    void (*call)(bench *b, int set);
    int sets;
} ways[] = {
    {"an empty kernel", call_empty, 1},
    {"clEnqueueNDRangeKernel", call_bare, 1},
    {"sqa_forward, same", call_plan, 1},
    {"sqa_forward, other", call_plan, SETS},
    {"sqa_attention_forward, same", call_descriptor, 1},
    {"sqa_attention_forward, other", call_descriptor, SETS},
};
enum { EMPTY, BARE, WAYS = sizeof ways / sizeof *ways };

static sqa_tensors make_tensors(cl_context cl, const shape *s)
{
    const uint32_t longest = s->queries > s->keys ? s->queries : s->keys;
    const size_t bytes = (size_t)s->heads * longest * s->dim * sizeof(cl_float);
    cl_int code = CL_SUCCESS;
    sqa_tensors tensors = SQA_TENSORS_INIT;
    sqa_tensor *each[] = {&tensors.q, &tensors.k, &tensors.v, &tensors.o};
    for (int i = 0; i < 4; i++) {
        each[i]->buffer = clCreateBuffer(cl, CL_MEM_READ_WRITE, bytes, NULL, &code);
        must_cl(code, "clCreateBuffer");
    }
    return tensors;
}

/* Other plans that sqa_attention_forward() has to tell ours from. */
static void fill_plan_cache(bench *b)
{
    for (uint32_t i = 1; i < PLANS; i++) {
        sqa_attention_desc desc = b->desc;
        sqa_problem problem;
        sqa_plan *plan = NULL;
        desc.kv_length = b->shape->keys + i;
        must(sqa_problem_from_desc(&problem, &desc), "problem");
        must(sqa_plan_cache_get(b->context->plans, b->context, &problem, &plan), "plan");
        sqa_plan_release(plan);
    }
}

static void make_empty(bench *b)
{
    const char *source = "kernel void empty(void) {}";
    const cl_device_id device = sqa_context_cl_device(b->context);
    cl_int code = CL_SUCCESS;
    b->empty_program =
        clCreateProgramWithSource(sqa_context_cl(b->context), 1, &source, NULL, &code);
    must_cl(code, "clCreateProgramWithSource");
    must_cl(clBuildProgram(b->empty_program, 1, &device, "", NULL, NULL), "clBuildProgram");
    b->empty = clCreateKernel(b->empty_program, "empty", &code);
    must_cl(code, "clCreateKernel");
}

static void set_up(bench *b)
{
    unsigned platform = 0, device = 0;
    cl_int code = CL_SUCCESS;
    sqa_context_options options = SQA_CONTEXT_OPTIONS_INIT;
    options.user_database = "";
    must(sqa_device_option(NULL, &platform, &device), "device");
    must(sqa_context_open(&b->context, platform, device, &options), "context");
    b->queue = clCreateCommandQueue(sqa_context_cl(b->context), sqa_context_cl_device(b->context),
                                    0, &code);
    must_cl(code, "clCreateCommandQueue");
    b->desc = (sqa_attention_desc)SQA_ATTENTION_DESC_INIT;
    b->desc.q_heads = b->desc.kv_heads = b->shape->heads;
    b->desc.q_length = b->shape->queries;
    b->desc.kv_length = b->shape->keys;
    b->desc.head_dim = b->shape->dim;
    make_empty(b);
    must(sqa_plan_create(&b->plan, b->context, &b->desc, NULL), "plan");
    fill_plan_cache(b);
    for (int i = 0; i < SETS; i++)
        b->tensors[i] = make_tensors(sqa_context_cl(b->context), b->shape);
    must(sqa_kernel_set_create(&b->kernels, b->plan->stages[0].leaf->program,
                               sqa_context_cl_device(b->context), &b->plan->stages[0].leaf->launch),
         "kernels");
    /* By slot, and the first enqueue of these kernels sets their arguments. */
    const sqa_tensors *t = &b->tensors[0];
    const sqa_tensor by_slot[SQA_MAX_SLOTS] = {[SQA_SLOT_Q] = t->q,
                                               [SQA_SLOT_K] = t->k,
                                               [SQA_SLOT_V] = t->v,
                                               [SQA_SLOT_O] = t->o,
                                               [SQA_SLOT_WORKSPACE] = {b->plan->workspace, 0}};
    must(sqa_enqueue(&b->kernels, &b->plan->stages[0].leaf->launch, by_slot, b->queue, 0, NULL,
                     NULL, NULL),
         "enqueue");
    for (int i = 0; i < WAYS; i++)
        ways[i].call(b, 0);
    must_cl(clFinish(b->queue), "clFinish");
}

static void tear_down(bench *b)
{
    for (int i = 0; i < SETS; i++) {
        clReleaseMemObject(b->tensors[i].q.buffer);
        clReleaseMemObject(b->tensors[i].k.buffer);
        clReleaseMemObject(b->tensors[i].v.buffer);
        clReleaseMemObject(b->tensors[i].o.buffer);
    }
    clReleaseKernel(b->empty);
    clReleaseProgram(b->empty_program);
    sqa_kernel_set_release(&b->kernels);
    sqa_plan_destroy(b->plan);
    clReleaseCommandQueue(b->queue);
    sqa_context_destroy(b->context);
}

/* Microseconds a call, over one round. The queue waits behind a gate meanwhile, so
 * that the device's own threads take no time from the caller's. */
static double time_round(bench *b, const struct way *way, unsigned calls)
{
    cl_int code = CL_SUCCESS;
    cl_event gate = clCreateUserEvent(sqa_context_cl(b->context), &code);
    must_cl(code, "clCreateUserEvent");
    must_cl(clEnqueueBarrierWithWaitList(b->queue, 1, &gate, NULL), "clEnqueueBarrier");
    const double start = now_us();
    for (unsigned i = 0; i < calls; i++)
        way->call(b, (int)(i % (unsigned)way->sets));
    const double elapsed = now_us() - start;
    must_cl(clSetUserEventStatus(gate, CL_COMPLETE), "clSetUserEventStatus");
    clReleaseEvent(gate);
    must_cl(clFinish(b->queue), "clFinish");
    return elapsed / calls;
}

/* One call after the other, each until the device is done. */
static double time_trips(bench *b, const struct way *way, unsigned calls)
{
    const double start = now_us();
    for (unsigned i = 0; i < calls; i++) {
        way->call(b, (int)(i % (unsigned)way->sets));
        must_cl(clFinish(b->queue), "clFinish");
    }
    return (now_us() - start) / calls;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, unsigned count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

/* Of the differences within a round: what slows the machine slows both. */
static double added(double (*times)[MOST_ROUNDS], int way, int to, unsigned rounds)
{
    static double differences[MOST_ROUNDS];
    for (unsigned r = 0; r < rounds; r++)
        differences[r] = times[way][r] - times[to][r];
    return median(differences, rounds);
}

static void report(const char *what, double (*times)[MOST_ROUNDS], unsigned rounds)
{
    double over[WAYS][2];
    for (int i = 0; i < WAYS; i++) {
        over[i][EMPTY] = added(times, i, EMPTY, rounds);
        over[i][BARE] = added(times, i, BARE, rounds);
    }
    printf("%-30s %10s %10s %10s %10s\n", what, "median", "least", "over empty", "over bare");
    for (int i = 0; i < WAYS; i++) {
        const double typical = median(times[i], rounds); /* which sorts them */
        printf("%-30s %10.2f %10.2f %10.2f %10.2f\n", ways[i].name, typical, times[i][0],
               over[i][EMPTY], over[i][BARE]);
    }
}

static void measure(bench *b, const char *what, unsigned rounds, unsigned calls,
                    double (*time)(bench *, const struct way *, unsigned))
{
    static double times[WAYS][MOST_ROUNDS];
    for (unsigned r = 0; r < rounds; r++)
        for (int i = 0; i < WAYS; i++)
            times[i][r] = time(b, &ways[i], calls);
    report(what, times, rounds);
}

static unsigned argument(int argc, char **argv, int index, unsigned otherwise)
{
    const unsigned long given = argc > index ? strtoul(argv[index], NULL, 10) : otherwise;
    return given < 1 ? 1 : given > MOST_ROUNDS ? MOST_ROUNDS : (unsigned)given;
}

int main(int argc, char **argv)
{
    const unsigned rounds = argument(argc, argv, 1, 100), calls = argument(argc, argv, 2, 100);
    for (int i = 0; i < SHAPES; i++) {
        bench b = {.shape = &shapes[i]};
        set_up(&b);
        printf("%s%s\n", i ? "\n" : "", shapes[i].name);
        measure(&b, "microseconds a call", rounds, calls, time_round);
        measure(&b, "and until it is done", rounds, calls, time_trips);
        tear_down(&b);
    }
    return EXIT_SUCCESS;
}
