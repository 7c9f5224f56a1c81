/* Storage types: how an element is kept in memory. Arithmetic is always f32. */
#ifndef SQA_HEAD_DIM
#define SQA_HEAD_DIM 64
#endif
#ifndef SQA_VALUE_DIM
#define SQA_VALUE_DIM SQA_HEAD_DIM
#endif

typedef float sqa_stored;
