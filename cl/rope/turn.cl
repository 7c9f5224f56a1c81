/* Rotary position embedding of one pair of a row, with sqa_turns[SQA_ROTARY / 2]. Pair i is of
 * elements FIRST_OF_PAIR(i) and SECOND_OF_PAIR(i); element d is of pair PAIR_OF(d). */
#ifndef SQA_ROTARY
#define SQA_ROTARY 0
#endif
#define PAIRS (SQA_ROTARY / 2)

#if SQA_ROTARY
#if SQA_HALF
#define FIRST_OF_PAIR(i) (i)
#define SECOND_OF_PAIR(i) ((i) + PAIRS)
#define PAIR_OF(d) ((d) % PAIRS)
#define IS_FIRST(d) ((d) < PAIRS)
#else
#define FIRST_OF_PAIR(i) (2 * (i))
#define SECOND_OF_PAIR(i) (2 * (i) + 1)
#define PAIR_OF(d) ((d) / 2)
#define IS_FIRST(d) ((d) % 2 == 0)
#endif

INLINE float2 turned(const float a, const float b, const int i, const long position)
{
    const ulong turns = (ulong)position * sqa_turns[i];
    const float half_turns = (float)(int)(turns >> 32) * 0x1p-31f;
#if SQA_INVERSE
    const float c = cospi(half_turns), s = -sinpi(half_turns);
#else
    const float c = cospi(half_turns), s = sinpi(half_turns);
#endif
    return (float2)(a * c - b * s, a * s + b * c);
}

static float2 turned_pair(__global const sqa_stored *x, const int i, const long position)
{
    return turned(SQA_LOAD(FIRST_OF_PAIR(i), x), SQA_LOAD(SECOND_OF_PAIR(i), x), i, position);
}
#endif
