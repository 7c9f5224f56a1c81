/* An operation as an entry of a table: everything that the rest of the program asks
 * about one. Planning, checking, tuning, storing and querying go through here, and know
 * no operation by name.
 *
 * A leaf has kernel families (kernels/registry.h) and rows in the tuning database. A
 * recipe is made of stages, each of which is a problem of another operation. */
#ifndef SQA_OPERATIONS_OPERATION_H
#define SQA_OPERATIONS_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "operations/field.h"
#include "problem/problem.h"

#define SQA_MAX_TENSORS 112 /* slots of any operation */
#define SQA_MAX_ROW 1024    /* elements of a row that is judged */
#define SQA_MAX_JUDGED 4    /* outputs that are judged together */
#define SQA_PLACE_TEXT 64   /* where a row lies, in words */
#define SQA_FAULT_TEXT 160  /* what is wrong with one */
#define SQA_MAX_STAGES 64   /* of a recipe, and those within them */
#define SQA_MAX_SCRATCH 32  /* tensors between its stages */

/* How an element is stored; the first ones are the values of sqa_dtype. */
typedef enum sqa_element {
    SQA_ELEMENT_F32 = SQA_DTYPE_F32,
    SQA_ELEMENT_F16 = SQA_DTYPE_F16,
    SQA_ELEMENT_BF16 = SQA_DTYPE_BF16,
    SQA_ELEMENT_INT8 = SQA_DTYPE_INT8, /* in groups that share a scale */
    SQA_ELEMENT_INT4 = SQA_DTYPE_INT4,
    SQA_ELEMENT_BYTE, /* of a mask: 0 hides */
    SQA_ELEMENT_INT,  /* 32 bits */
    SQA_ELEMENT_COUNT
} sqa_element;

typedef struct sqa_tensor_shape {
    sqa_element element;
    sqa_strides strides; /* elements; the last dimension's are adjacent */
    uint32_t batch, heads, length, dim;
} sqa_tensor_shape;

typedef enum sqa_slot_use { SQA_SLOT_UNUSED = 0, SQA_SLOT_INPUT, SQA_SLOT_OUTPUT } sqa_slot_use;

/* A tensor's place in an operation. */
typedef struct sqa_tensor_slot {
    const char *name; /* as in the operation's public struct of tensors: "q" */
    sqa_slot_use use;
    size_t member; /* where that struct has it */

    /* Of an output that may lie where an input does, element on element: that input's slot + 1.
     * Kernels read an element before they write it, and use no other work-item's. */
    uint32_t in_place;

    /* Inputs to check with, and what updated outputs hold before: evenly in [low, high), in
     * any case within what keeps rounding below the tolerances; or, of what is no
     * floating-point number or follows from the problem, written by `fill`, `count` elements
     * as float, uint8_t or int32_t. */
    float low, high;
    float (*map)(const sqa_problem *problem, float number); /* of such numbers; NULL: none */
    void (*fill)(const sqa_problem *problem, uint64_t count, bool shuffled, sqa_random *random,
                 void *out);
} sqa_tensor_slot;

/* An operation's public struct of tensors, which begins with its version; slots say where
 * in it their tensors are. */
typedef struct sqa_tensor_struct {
    uint32_t version; /* the newest */
    size_t workspace; /* where its cl_mem `workspace` is, behind all tensors */
} sqa_tensor_struct;

/* Host arrays by slot, laid out by the problem's strides; a view starts at the pointer.
 * Floating-point ones are f32 whatever the problem stores, masks bytes, index tensors
 * int32. NULL where the problem has no such tensor. An updated output is as before the call
 * for `expect`, as after it for `fault`. */
typedef struct sqa_reference_inputs {
    const void *by_slot[SQA_MAX_TENSORS];
    const void *prepared; /* by the group whose rows are asked for; NULL: it prepares nothing */
} sqa_reference_inputs;

/* What the reference says of a row: of each slot of its group, `count` elements from the
 * element `at` of the view. */
typedef struct sqa_expected_row {
    int64_t at[SQA_MAX_JUDGED];
    uint32_t count[SQA_MAX_JUDGED];
    double values[SQA_MAX_JUDGED][SQA_MAX_ROW];
    /* Of a single element that is a sum of either sign: the sum of the magnitudes, which errors are
     * relative to; 0: to its own. */
    double magnitude[SQA_MAX_JUDGED];
} sqa_expected_row;

/* Outputs that the reference has row by row. Either `expect`, for numbers, or `fault`,
 * where more than one result is right. */
typedef struct sqa_row_group {
    uint32_t slots[SQA_MAX_JUDGED];
    uint32_t slot_count;
    uint32_t samples; /* rows that do, where not all are judged */
    uint64_t (*count)(const sqa_problem *problem);
    /* What all rows are taken from, where they follow from each other: made once, for release(),
     * or without one for free(). Itself NULL: nothing; returning NULL: there is no memory. */
    void *(*prepare)(const sqa_problem *problem, const sqa_reference_inputs *inputs);
    void (*release)(void *prepared);
    /* false: there is no such row (sequences of a ragged batch may be shorter). */
    bool (*expect)(const sqa_problem *problem, const sqa_reference_inputs *inputs, uint64_t row,
                   sqa_expected_row *out);
    /* What is wrong with the row of the outputs, which `arrays` has too; "": nothing. */
    sqa_status (*fault)(const sqa_problem *problem, const sqa_reference_inputs *arrays,
                        uint64_t row, char out[SQA_FAULT_TEXT]);
    void (*place)(const sqa_problem *problem, uint64_t row, char out[SQA_PLACE_TEXT]);
} sqa_row_group;

/* How far an output may be from the reference, as promised to users. What is 0 is not
 * asked; a row with none of them is an error. */
typedef struct sqa_tolerance {
    uint32_t slot;
    sqa_element element;
    double rms;                               /* relative root mean square of all elements */
    double max;                               /* largest difference over the largest magnitude of */
    uint32_t max_of;                          /* this slot */
    double absolute;                          /* of each element: this, or */
    double relative;                          /* this times the reference's */
    bool (*when)(const sqa_problem *problem); /* of such problems alone, in place of later rows */
} sqa_tolerance;

/* What a class of problems is told apart by; see operations/problem_class.h. */
typedef enum sqa_class_kind {
    SQA_CLASS_WORD,   /* results of one word say nothing of another */
    SQA_CLASS_COUNT,  /* likewise for numbers */
    SQA_CLASS_BITS,   /* kinds; one more or less is far */
    SQA_CLASS_RATIO,  /* near when the ratio is */
    SQA_CLASS_BUCKET, /* round(log2) of a length: near when the difference is small */
    SQA_CLASS_FEW     /* likewise of rows, but a few of them are far from a few more */
} sqa_class_kind;

typedef struct sqa_class_part {
    const char *name; /* in the key: "d" */
    sqa_class_kind kind;
    uint32_t least, most;
    const char *const *words; /* of a word's values or of bits, up to NULL */
    uint32_t (*value)(const sqa_problem *problem);
} sqa_class_part;

/* A sibling of a problem that its program can run: small, and packed. */
typedef enum sqa_relative {
    SQA_RELATIVE_SMALL = 0, /* still long enough for whole tiles and their edges */
    SQA_RELATIVE_TAILS,     /* ugly lengths, ends in every tile */
    SQA_RELATIVE_SHORT,     /* more rows than columns, and few */
    SQA_RELATIVE_COUNT
} sqa_relative;

/* Where a stage's tensor comes from: a slot of the recipe's caller, scratch, or a single element
 * that holds 1, which a stride of 0 makes a tensor of ones. */
#define SQA_LINK_NONE INT16_MIN
#define SQA_LINK_ONE (INT16_MIN + 1)
#define SQA_LINK_SCRATCH(number) (-1 - (number))

typedef struct sqa_link {
    int16_t from;
    uint64_t offset; /* elements from there to the stage's first: a view */
} sqa_link;

/* The problem may be a recipe's, too. */
typedef struct sqa_stage {
    sqa_problem problem;
    sqa_link links[SQA_MAX_TENSORS];
} sqa_stage;

/* Too large for a stack; see operations/recipe.h. */
typedef struct sqa_recipe {
    sqa_stage stages[SQA_MAX_STAGES];
    uint32_t stage_count;
    sqa_tensor_shape scratch[SQA_MAX_SCRATCH];
    uint32_t scratch_count;
} sqa_recipe;

typedef struct sqa_operation_entry {
    sqa_operation id;
    const char *name;    /* in the database and after "op=" */
    const char *summary; /* one line for people */

    /* The shape text: tables of fields, each ended by one without a name. A shape is read
     * into a descriptor of the operation, `descriptor_bytes` long, which becomes a problem
     * and comes back from it. Errors name the field. */
    const sqa_shape_field *const *fields; /* NULL ends the list */
    const sqa_shape_field_need *needs;    /* one without a message ends it */
    size_t descriptor_bytes;
    void (*start)(void *descriptor);
    sqa_status (*settle)(const void *descriptor, sqa_problem *out);
    void (*describe)(const sqa_problem *problem, void *descriptor);

    const sqa_class_part *class_parts; /* one without a name ends it */

    sqa_tensor_struct tensors;
    const sqa_tensor_slot *slots;
    uint32_t slot_count;
    /* Whose slots are the first ones here, too, and where the struct of tensors has that one's;
     * NULL: nobody's. Ask sqa_slot_of() (operations/tensors.h) for any. */
    const struct sqa_operation_entry *inner;
    size_t inner_tensors;
    /* The tensor in a slot; false: the problem has none. */
    bool (*tensor)(const sqa_problem *problem, uint32_t slot, sqa_tensor_shape *out);
    /* Whether some kernel looks at it at all. */
    bool (*is_touched)(const sqa_problem *problem, uint32_t slot);

    /* Whether it is an output that is added to, so that what it holds before the call counts;
     * NULL: none is. */
    bool (*is_updated)(const sqa_problem *problem, uint32_t slot);

    /* An empty output needs no kernel, and OpenCL 1.2 no empty launch. */
    bool (*is_nothing)(const sqa_problem *problem);
    /* Floating-point operations that the result needs. */
    double (*flop)(const sqa_problem *problem);
    /* Elements of a tensor that a call reads and writes, where these are not all; below 0: of this
     * slot they are. NULL: of all slots. */
    double (*moved)(const sqa_problem *problem, uint32_t slot);
    /* Of a leaf: a recipe has no program of its own, but its stages'. */
    void (*relative)(const sqa_problem *problem, sqa_relative which, sqa_problem *out);

    const sqa_row_group *groups; /* one without slots ends it */
    const sqa_tolerance *tolerances;
    uint32_t tolerance_count;

    /* NULL: a leaf. */
    sqa_status (*recipe)(const sqa_problem *problem, sqa_recipe *out);
} sqa_operation_entry;

#endif
