/* What scores are counted in: log2 e, so that exp is exp2; and what products of Q and K are
 * multiplied by, before a softcap and after it. */
#if SQA_SOFTCAP
#define SQA_PRODUCT_FACTOR (scale / softcap)
#define SQA_CAP_FACTOR (softcap * M_LOG2E_F)
#else
#define SQA_PRODUCT_FACTOR (scale * M_LOG2E_F)
#define SQA_CAP_FACTOR 1.0f
#endif
#define SQA_AS_SCORE(x) ((x) * M_LOG2E_F)
