/* Rotary position embedding of one pair of a row, with sqa_turns[SQA_ROTARY / 2], into what is
 * stored as a cache's elements are. The pair is read before it is written. */
#ifndef SQA_ROTARY
#define SQA_ROTARY 0
#endif
#define PAIRS (SQA_ROTARY / 2)

#if SQA_ROTARY
static void turn(__global const sqa_stored *x, __global sqa_kv_stored *y, const int i,
                 const long position)
{
#if SQA_HALF
    const int first = i, second = i + PAIRS;
#else
    const int first = 2 * i, second = 2 * i + 1;
#endif
    const ulong turns = (ulong)position * sqa_turns[i];
    const float half_turns = (float)(int)(turns >> 32) * 0x1p-31f;
#if SQA_INVERSE
    const float c = cospi(half_turns), s = -sinpi(half_turns);
#else
    const float c = cospi(half_turns), s = sinpi(half_turns);
#endif
    const float a = SQA_LOAD(first, x), b = SQA_LOAD(second, x);
    SQA_KV_STORE(a * c - b * s, first, y);
    SQA_KV_STORE(a * s + b * c, second, y);
}
#endif
