/* Exported lines, taken into a database: each is added, known or refused; what was
 * added is exported, and known when it comes back. */
#include "fuzz.h"
#include "store/connection.h"
#include "store/exchange.h"

enum { INPUTS_PER_STORE = 512 };

static sqa_store *store;

/* A fresh one from time to time, or it would grow. */
static void need_store(void)
{
    static unsigned inputs;
    if (inputs++ % INPUTS_PER_STORE == 0) {
        sqa_store_close(store);
        store = NULL;
        FUZZ_CHECK(sqa_store_open_in_memory(&store) == SQA_OK);
    }
}

static sqa_exchange import(const void *text, size_t size)
{
    sqa_exchange exchange = {0};
    FILE *file = fmemopen((void *)(uintptr_t)text, size, "r");
    FUZZ_CHECK(file);
    FUZZ_CHECK(sqa_store_import(store, file, "input", &exchange) == SQA_OK);
    fclose(file);
    return exchange;
}

static void check_export(void)
{
    const sqa_store_filter all = {0};
    char *text = NULL;
    size_t size = 0;
    uint64_t lines = 0;
    FILE *file = open_memstream(&text, &size);
    FUZZ_CHECK(file);
    FUZZ_CHECK(sqa_store_export(store, &all, NULL, NULL, file, &lines) == SQA_OK);
    fclose(file);
    const sqa_exchange again = import(text, size);
    FUZZ_CHECK(again.known == lines && again.added == 0 && again.refused == 0);
    free(text);
}

static uint64_t count_lines(const uint8_t *data, size_t size)
{
    uint64_t lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0; /* which fmemopen() does not take */
    need_store();
    const sqa_exchange counts = import(data, size);
    FUZZ_CHECK(counts.added + counts.known + counts.refused <= count_lines(data, size));
    if (counts.added)
        check_export();
    return 0;
}
