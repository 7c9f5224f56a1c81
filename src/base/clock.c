#include "base/clock.h"

#include <math.h>
#include <time.h>

double sqa_clock_seconds(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now))
        return (double)NAN;
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}
