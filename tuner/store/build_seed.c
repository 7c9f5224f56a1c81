/* A step of the build: reads the seed text through the same checks as `sqa db
 * import` and writes the database made from it as C. A row that cannot be true
 * ends the build, so that nothing ships that the constraints would refuse.
 *
 *   sqa_build_seed OUTPUT.c FILE.jsonl... */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "store/connection.h"
#include "store/exchange.h"

static void print_refusal(void *user, const char *where, const char *reason)
{
    fprintf(stderr, "sqa_build_seed: %s, %s: %s\n", (const char *)user, where, reason);
}

static bool import_file(sqa_store *store, char *path, uint64_t *rows)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "sqa_build_seed: %s: %s\n", path, strerror(errno));
        return false;
    }
    sqa_exchange exchange = {.refuse = print_refusal, .user = path};
    sqa_status status = sqa_store_import(store, file, path, &exchange);
    fclose(file);
    if (status != SQA_OK)
        fprintf(stderr, "sqa_build_seed: %s: %s\n", path, sqa_last_error());
    if (exchange.known)
        fprintf(stderr, "sqa_build_seed: %s: %llu lines are there twice\n", path,
                (unsigned long long)exchange.known);
    *rows += exchange.added;
    return status == SQA_OK && exchange.refused == 0 && exchange.known == 0;
}

static bool write_c(const unsigned char *image, size_t size, const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        fprintf(stderr, "sqa_build_seed: %s: %s\n", path, strerror(errno));
        return false;
    }
    fputs("/* Made by sqa_build_seed from db/seed. */\n#include \"tuning/seed.h\"\n\n"
          "const unsigned char sqa_seed_database[] = {",
          file);
    for (size_t i = 0; i < size; i++)
        fprintf(file, "%s%u,", i % 24 ? "" : "\n", image[i]);
    fprintf(file, "%s\n};\nconst size_t sqa_seed_database_size = %zu;\n", size ? "" : "0", size);
    bool written = !ferror(file);
    written = !fclose(file) && written;
    if (!written)
        fprintf(stderr, "sqa_build_seed: %s cannot be written\n", path);
    return written;
}

static bool write_database(sqa_store *store, uint64_t rows, const char *path)
{
    if (rows == 0)
        return write_c(NULL, 0, path);
    sqlite3_int64 size = 0;
    unsigned char *image = sqlite3_serialize(store->database, "main", &size, 0);
    bool written = image && write_c(image, (size_t)size, path);
    sqlite3_free(image);
    return written;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: sqa_build_seed OUTPUT.c FILE.jsonl...\n", stderr);
        return 2;
    }
    sqa_store *store = NULL;
    if (sqa_store_open_in_memory(&store) != SQA_OK) {
        fprintf(stderr, "sqa_build_seed: %s\n", sqa_last_error());
        return 1;
    }
    uint64_t rows = 0;
    bool good = true;
    for (int i = 2; i < argc; i++)
        good = import_file(store, argv[i], &rows) && good;
    good = good && write_database(store, rows, argv[1]);
    sqa_store_close(store);
    return good ? 0 : 1;
}
