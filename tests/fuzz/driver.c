/* Runs a fuzz target without libFuzzer, with any compiler:
 *
 *   fuzz_TARGET PATH [SECONDS [SEED]]
 *
 * PATH is an input or a folder of them, which are run first; then, for so many seconds,
 * what chance makes of them: the same from the same seed. An input that fails, or takes
 * longer than ten seconds, is left as fuzz_TARGET.failed. Knows nothing of coverage. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <dirent.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/random.h"
#include "fuzz.h"

enum { MOST_BYTES = 1 << 16, MOST_SEEDS = 256, LONGEST_RUN = 10 };

typedef struct input {
    size_t size;
    uint8_t bytes[MOST_BYTES];
} input;

/* In memory that the parent sees: what is being run. */
typedef struct progress {
    uint64_t runs;
    int finished; /* every input was run */
    input now;
} progress;

static input *seeds[MOST_SEEDS];
static size_t seed_count;

static void die(const char *what)
{
    perror(what);
    exit(2);
}

static void load_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    input *seed = calloc(1, sizeof *seed);
    if (!file || !seed || seed_count == MOST_SEEDS)
        die(path);
    seed->size = fread(seed->bytes, 1, MOST_BYTES, file);
    seeds[seed_count++] = seed;
    fclose(file);
}

/* In the order of their names, so that a run can be repeated. */
static void load(const char *path)
{
    struct stat info;
    struct dirent **names = NULL;
    if (stat(path, &info) != 0)
        die(path);
    if (!S_ISDIR(info.st_mode)) {
        load_file(path);
        return;
    }
    int count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char file[PATH_MAX];
        snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.')
            load_file(file);
        free(names[i]);
    }
    free(names);
}

static size_t below(sqa_random *random, size_t count)
{
    return (size_t)sqa_random_below(random, count);
}

/* Puts `count` bytes in the place of `gone` at `at`; what does not fit is not done. */
static void replace(input *in, size_t at, size_t gone, const void *bytes, size_t count)
{
    if (in->size - gone + count > MOST_BYTES)
        return;
    memmove(in->bytes + at + count, in->bytes + at + gone, in->size - at - gone);
    memcpy(in->bytes + at, bytes, count);
    in->size += count - gone;
}

static void flip_bit(input *in, sqa_random *random)
{
    if (in->size)
        in->bytes[below(random, in->size)] ^= (uint8_t)(1u << below(random, 8));
}

/* What means something to a reader of text. */
static void put_character(input *in, sqa_random *random)
{
    static const char telling[] = "\0\n\t\"\\' ,:;=/@-+._0129aefnxAZ{}[]()%\x7f\x80\xff";
    const size_t at = below(random, in->size + 1);
    const char byte = telling[below(random, sizeof telling - 1)];
    replace(in, at, at < in->size && below(random, 2) ? 1 : 0, &byte, 1);
}

static void put_number(input *in, sqa_random *random)
{
    static const char *const numbers[] = {
        "0",          "1",          "-1",         "16",   "255",   "65536",
        "1073741824", "2147483647", "4294967296", "1e9",  "1e400", "18446744073709551616",
        "-0",         "0x10",       "nan",        "-inf", "0.5",   "00",
    };
    const char *number = numbers[below(random, sizeof numbers / sizeof numbers[0])];
    size_t at = below(random, in->size + 1), end = at;
    while (end < in->size && in->bytes[end] >= '0' && in->bytes[end] <= '9')
        end++;
    replace(in, at, end - at, number, strlen(number));
}

static void erase(input *in, sqa_random *random)
{
    const size_t at = below(random, in->size + 1);
    const size_t most = in->size - at < 16 || below(random, 4) == 0 ? in->size - at : 16;
    replace(in, at, below(random, most + 1), "", 0);
}

/* A part of a seed, which may be this one, somewhere else. */
static void splice(input *in, sqa_random *random)
{
    const input *from = seeds[below(random, seed_count)];
    const size_t begin = below(random, from->size + 1);
    const size_t count = below(random, from->size - begin + 1), at = below(random, in->size + 1);
    const size_t gone = below(random, 2) ? below(random, in->size - at + 1) : 0;
    replace(in, at, gone, from->bytes + begin, count);
}

static void take_seed(input *in, size_t seed)
{
    in->size = seeds[seed]->size;
    memcpy(in->bytes, seeds[seed]->bytes, in->size);
}

static void mutate(input *in, sqa_random *random)
{
    static void (*const ways[])(input *, sqa_random *) = {flip_bit, put_character, put_number,
                                                          erase, splice};
    take_seed(in, below(random, seed_count));
    for (size_t i = below(random, 6) + 1; i > 0; i--)
        ways[below(random, sizeof ways / sizeof ways[0])](in, random);
}

/* On memory of the input's own size, so that a sanitizer sees every step beyond it. */
static void run(progress *to)
{
    uint8_t *bytes = malloc(to->now.size ? to->now.size : 1);
    if (!bytes)
        die("an input");
    memcpy(bytes, to->now.bytes, to->now.size);
    alarm(LONGEST_RUN);
    LLVMFuzzerTestOneInput(bytes, to->now.size);
    alarm(0);
    free(bytes);
    to->runs++;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void run_all(progress *to, double seconds, uint64_t seed)
{
    sqa_random random = {seed};
    const double end = now() + seconds;
    for (size_t i = 0; i < seed_count; i++) {
        take_seed(&to->now, i);
        run(to);
    }
    while (now() < end) {
        mutate(&to->now, &random);
        run(to);
    }
    to->finished = 1;
}

static void keep(const char *program, const input *failed)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s.failed", program);
    FILE *file = fopen(path, "wb");
    if (file && fwrite(failed->bytes, 1, failed->size, file) == failed->size)
        fprintf(stderr, "%s: the input that failed\n", path);
    if (file)
        fclose(file);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: %s PATH [SECONDS [SEED]]\n", argv[0]);
        return 2;
    }
    load(argv[1]);
    progress *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || !seed_count)
        die(argv[1]);
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        run_all(shared, argc > 2 ? strtod(argv[2], NULL) : 0,
                argc > 3 ? strtoull(argv[3], NULL, 10) : 1);
        for (size_t i = 0; i < seed_count; i++)
            free(seeds[i]);
        return 0;
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child)
        die("waitpid");
    if (status && !shared->finished)
        keep(argv[0], &shared->now);
    printf("%zu seeds, %llu inputs%s\n", seed_count, (unsigned long long)shared->runs,
           status ? ": FAILED" : "");
    return status != 0;
}
