/* A contribution that means harm: a thousand lines, each wrong in its own way. All of
 * them end in quarantine with a reason; nothing of them is dispatched, and nothing
 * else changes. The file is made here, from a good line and a fixed seed. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "database/fixture.h"
#include "run_suite.h"
#include "store/exchange.h"
#include "store/quarantine.h"
#include "tuning/tuning_table.h"

enum { LINES = 1000 };

static const char injection[] = "'; DROP TABLE trial; DELETE FROM winner; --";

/* The good line, with what it says spoilt in one place: JSON text for JSON text. */
typedef struct spoiling {
    const char *from, *to;
} spoiling;

static const spoiling spoilings[] = {
    /* SQL wherever there is a word that has to mean something */
    {"\"type\":\"cpu\"", "\"type\":\"%s\""},
    {"\"operation\":\"forward\"", "\"operation\":\"%s\""},
    {"\"shape\":\"b=1", "\"shape\":\"%s"},
    {"\"shape\":\"b=1", "\"shape\":\"op=%s,b=1"},
    {",d=64\"", ",d=64,dtype=%s\""},
    {",d=64\"", ",d=64,layout=%s\""},
    {",d=64\"", ",d=64,%s\""},
    {"\"candidates\":\"", "\"candidates\":\"%s"},
    {"\"family\":\"naive\"", "\"family\":\"%s\""},
    {"\"config\":\"CHUNK=16\"", "\"config\":\"%s\""},
    {"\"config\":\"CHUNK=16\"", "\"config\":\"CHUNK=16,%s\""},
    {"\"source_hash\":null", "\"source_hash\":\"%s\""},
    {"\"status\":\"ok\"", "\"status\":\"%s\""},
    {"\"message\":\"\"", "\"message\":\"%s\""},
    {"\"recorded_at\":\"20", "\"recorded_at\":\"%s"},
    {"\"subgroups\":\"\"", "\"subgroups\":\"%s\""},
    {"\"median_ms\":10.0", "\"median_ms\":\"%s\""},
    {"\"schema\":2", "\"schema\":\"%s\""},
    {"\"schema\":2", "\"%s\":2"},
    {"\"schema\":2", "\"schema\":1"},
    {"\"schema\":2", "\"schema\":3"},
    {"\"schema\":2", "\"schema\":4294967298"},
    /* times and rates */
    {"\"median_ms\":10.0", "\"median_ms\":NaN"},
    {"\"median_ms\":10.0", "\"median_ms\":Infinity"},
    {"\"median_ms\":10.0", "\"median_ms\":-10.0"},
    {"\"median_ms\":10.0", "\"median_ms\":0"},
    {"\"median_ms\":10.0", "\"median_ms\":null"},
    {"\"median_ms\":10.0", "\"median_ms\":1e308"},
    {"\"median_ms\":10.0", "\"median_ms\":1e-308"},
    {"\"median_ms\":10.0", "\"median_ms\":true"},
    {"\"spread_ms\":0.2", "\"spread_ms\":-1"},
    {"\"spread_ms\":0.2", "\"spread_ms\":9e999"},
    {"\"build_ms\":210.5", "\"build_ms\":-0.5"},
    {"\"max_error\":3.25e-07", "\"max_error\":0.5"},
    {"\"max_error\":3.25e-07", "\"max_error\":-1"},
    {"\"gflops\":214.7483", "\"gflops\":1e9,\"x\":"},
    {"\"gflops\":214.7483", "\"gflops\":114.7483"},
    {"\"ceiling_gflops\":1000000.0", "\"ceiling_gflops\":1e-9"},
    {"\"ceiling_gflops\":1000000.0", "\"ceiling_gflops\":-1"},
    {"\"samples\":11", "\"samples\":0"},
    {"\"samples\":11", "\"samples\":-1"},
    {"\"samples\":11", "\"samples\":99999999999999999999"},
    {"\"seed\":", "\"seed\":1e400,\"x\":"},
    /* families and parameters */
    {"\"family\":\"naive\"", "\"family\":\"clever\""},
    {"\"family\":\"naive\"", "\"family\":\"\""},
    {"\"family\":\"naive\"", "\"family\":\"rows\""},
    {"\"space_version\":1", "\"space_version\":0"},
    {"\"space_version\":1", "\"space_version\":4294967296"},
    {"\"config\":\"CHUNK=16\"", "\"config\":\"CHUNK=17\""},
    {"\"config\":\"CHUNK=16\"", "\"config\":\"CHUNK=-16\""},
    {"\"config\":\"CHUNK=16\"", "\"config\":\"CHUNK=99999999999999999999\""},
    {"\"config\":\"CHUNK=16\"", "\"config\":\"CHUNK=\""},
    {"\"config\":\"CHUNK=16\"", "\"config\":\"=16\""},
    {"\"config\":\"CHUNK=16\"", "\"config\":\"\""},
    {"\"config\":\"CHUNK=16\"", "\"config\":\" CHUNK=16\""},
    {"\"config\":\"CHUNK=16\"", "\"config\":\"CHUNK=16,CHUNK=16\""},
    {"\"config\":\"CHUNK=16\"", "\"config\":{\"CHUNK\":16}"},
    {"\"config\":\"CHUNK=16\",", ""},
    {"\"family\":\"naive\",", ""},
    /* problems that are none */
    {",d=64\"", ",d=0\""},
    {",d=64\"", ",d=1025\""},
    {",d=64\"", ",d=4294967360\""},
    {",d=64\"", ",d=64,d=64\""},
    {",d=64\"", ",d=64,\""},
    {"hq=8,", "hq=0,"},
    {"hq=8,", "hq=5,"},
    {"nk=1024", "nk=-1024"},
    {"nq=1024", "nq=1e3"},
    {"b=1,", "b=4000000000,"},
    {",d=64\"", ",d=64,lse=2\""},
    {"\"shape\":\"b=1", "\"shape\":\"op=select_blocks,b=1"},
    {"\"shape\":\"b=1", "\"shape\":{},\"y\":\"b=1"},
    /* devices that are none */
    {"\"vendor\":\"paper\"", "\"vendor\":\"\""},
    {"\"vendor\":\"paper\"", "\"vendor\":null"},
    {"\"vendor\":\"paper\"", "\"vendor\":[\"paper\"]"},
    {"\"compute_units\":8", "\"compute_units\":-8"},
    {"\"has_fp64\":true", "\"has_fp64\":\"true\""},
    {"\"max_work_group_size\":4096", "\"max_work_group_size\":18446744073709551616"},
    /* members twice, or too many */
    {"\"vendor\":\"paper\"", "\"vendor\":\"paper\",\"vendor\":\"stone\""},
    {"\"family\":\"naive\"", "\"family\":\"naive\",\"family\":\"naive\""},
    {"\"trial\":{", "\"trial\":{\"x\":1,"},
    {"{\"schema\":2", "{\"schema\":2,\"schema\":2"},
    {"{\"schema\":2", "{\"schema\":2,\"__proto__\":{\"winner\":true}"},
    /* text that is none */
    {"\"vendor\":\"paper\"", "\"vendor\":\"p\xff\xfe\""},
    {"\"vendor\":\"paper\"", "\"vendor\":\"\xc0\xafpaper\""},
    {"\"vendor\":\"paper\"", "\"vendor\":\"\xed\xa0\x80\""},
    {"\"vendor\":\"paper\"", "\"vendor\":\"p\\u0000aper\""},
    {"\"vendor\":\"paper\"", "\"vendor\":\"\\udc00\""},
    {"\"vendor\":\"paper\"", "\"vendor\":\"paper"},
    {"{\"schema\":2", "{/* */\"schema\":2"},
    {"{\"schema\":2", "{schema:2"},
    {"{\"schema\":2", "[\"schema\",2"},
    {"}}", "}"},
    {"}}", "}}}"},
    {"}}", "},}"},
};
enum { SPOILINGS = sizeof spoilings / sizeof spoilings[0] };

static char *good; /* the line of a good trial */
static char path[512], text[512];

static void setup(void)
{
    fixture_setup();
    snprintf(path, sizeof path, "%s", fixture_path("tuning.db"));
    snprintf(text, sizeof text, "%s", fixture_path("hostile.jsonl"));
}

/* `at` is where what is replaced begins. */
static void replace(sqa_text *out, const char *at, const char *from, const char *to)
{
    sqa_text_format(out, "%.*s", (int)(at - good), good);
    const char *slot = strstr(to, "%s");
    if (slot)
        sqa_text_format(out, "%.*s%s%s", (int)(slot - to), to, injection, slot + 2);
    else
        sqa_text_append(out, to);
    sqa_text_format(out, "%s\n", at + strlen(from));
}

static void add_spoilt(sqa_text *out, const spoiling *what)
{
    const char *at = strstr(good, what->from);
    ck_assert_msg(at != NULL, "'%s' is not in the line", what->from);
    replace(out, at, what->from, what->to);
}

static void add_filler(sqa_text *out, char byte, size_t count)
{
    char *filler = malloc(count + 1);
    ck_assert_ptr_nonnull(filler);
    memset(filler, byte, count);
    filler[count] = 0;
    sqa_text_append(out, filler);
    free(filler);
}

/* Ten megabytes in a string, and nesting as deep as a line may be long. */
static void add_huge(sqa_text *out)
{
    sqa_text_append(out, "{\"schema\":2,\"device\":{\"vendor\":\"");
    add_filler(out, 'A', 10u << 20);
    sqa_text_append(out, "\"}}\n");
    for (int i = 0; i < 2; i++) {
        const char *opener = i ? "{\"schema\":" : "[";
        sqa_text_append(out, i ? "" : "{\"schema\":2,\"device\":");
        for (int depth = 0; depth < (i ? 5000 : 60000); depth++)
            sqa_text_append(out, opener);
        sqa_text_append(out, "\n");
    }
    /* Shallow enough for a reader that has no limit of its own, yet not a trial's. */
    sqa_text_append(out, "{\"schema\":2,\"device\":{\"vendor\":");
    add_filler(out, '[', 900);
    add_filler(out, ']', 900);
    sqa_text_append(out, "}}\n");
}

/* A byte of the line changed, dropped or doubled, at places that a reader looks at;
 * blanks, digits of figures that still fit and letters in names could be harmless. */
static void add_mutated(sqa_text *out, int number)
{
    static const char structure[] = "{}\":,";
    size_t length = strlen(good), at = (size_t)rand() % length;
    while (!strchr(structure, good[at]))
        at = (at + 1) % length;
    sqa_text_format(out, "%.*s", (int)at, good);
    if (number % 3 == 1)
        sqa_text_format(out, "%c", "[]#\x01;"[rand() % 5]);
    else if (number % 3 == 2)
        sqa_text_format(out, "%c%c%c", good[at], good[at], good[at]);
    sqa_text_format(out, "%s\n", good + at + 1);
}

static void write_hostile_file(void)
{
    sqa_text out = SQA_TEXT_INIT;
    int lines = 0;
    for (; lines < SPOILINGS; lines++)
        add_spoilt(&out, &spoilings[lines]);
    add_huge(&out);
    lines += 4;
    /* SQL in whole lines, each another. */
    for (int i = 0; i < 100; i++, lines++)
        sqa_text_format(&out, "%d%s\n", i, injection);
    srand(7);
    for (; lines < LINES; lines++) {
        size_t before = out.length;
        do {
            out.length = before;
            add_mutated(&out, lines);
        } while (strlen(out.data + before) < 20);
    }
    ck_assert_int_eq(sqa_text_status(&out), SQA_OK);
    fixture_write(text, out.data, out.length);
    sqa_text_free(&out);
}

static void make_good_line(void)
{
    const sqa_store_filter all = {0};
    sqa_store *store = NULL;
    uint64_t lines = 0;
    fixture_fill(fixture_path("good.db"), 1);
    ck_assert_int_eq(sqa_store_open_read_only(&store, fixture_path("good.db")), SQA_OK);
    FILE *file = fopen(fixture_path("good.jsonl"), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(sqa_store_export(store, &all, NULL, NULL, file, &lines), SQA_OK);
    ck_assert_int_eq(fclose(file), 0);
    sqa_store_close(store);
    good = fixture_read(fixture_path("good.jsonl"));
    good[strcspn(good, "\n")] = 0;
}

/* All that is dispatched, exported and counted, as text. */
static char *facts(void)
{
    const sqa_store_filter all = {0};
    sqa_store *store = NULL;
    uint64_t lines = 0;
    FILE *file = fopen(fixture_path("facts"), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(sqa_store_open_read_only(&store, path), SQA_OK);
    ck_assert_int_eq(sqa_store_export(store, &all, NULL, NULL, file, &lines), SQA_OK);
    sqa_store_close(store);
    static const char *const tables[] = {"device", "environment", "problem_class", "problem",
                                         "trial",  "winner",      "best"};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]);
        fprintf(file, "%s %lld\n", tables[i], (long long)fixture_number(path, sql));
    }
    ck_assert_int_eq(fclose(file), 0);
    return fixture_read(fixture_path("facts"));
}

static size_t count_dispatched(void)
{
    fixture_log heard;
    sqa_log log = fixture_listen(&heard);
    sqa_tuning_table table = SQA_TUNING_TABLE_INIT;
    ck_assert_int_eq(sqa_tuning_table_load_file(&table, path, NULL, &log), SQA_OK);
    ck_assert_int_eq(heard.count[SQA_LOG_WARNING], 0);
    size_t count = table.count;
    sqa_tuning_table_free(&table);
    return count;
}

static void count_refusal(void *user, const char *where, const char *reason)
{
    ck_assert_int_eq(strncmp(where, "line ", 5), 0);
    ck_assert_uint_gt(strlen(reason), 3);
    ++*(int *)user;
}

static sqa_exchange import(const char *from, int *refusals)
{
    sqa_exchange exchange = {.refuse = count_refusal, .user = refusals};
    sqa_store *store = fixture_open(path);
    FILE *file = fopen(from, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_msg(sqa_store_import(store, file, from, &exchange) == SQA_OK, "%s", sqa_last_error());
    fclose(file);
    sqa_store_close(store);
    return exchange;
}

static sqa_status check_quarantined(void *user, const sqa_quarantined *row)
{
    ++*(int *)user;
    ck_assert_uint_gt(strlen(row->reason), 3);
    ck_assert(sqa_utf8_is_valid(row->reason));
    ck_assert(sqa_utf8_is_valid(row->line));
    ck_assert_uint_le(strlen(row->line), 4096);
    ck_assert_uint_gt(row->bytes, 0);
    ck_assert_ptr_nonnull(strstr(row->source, "hostile.jsonl"));
    return SQA_OK;
}

START_TEST(all_is_quarantined_and_nothing_else_changes)
{
    make_good_line();
    write_hostile_file();
    fixture_fill(path, 5);
    sqa_store *store = fixture_open(path);
    ck_assert_int_eq(sqa_store_set_winner(store, 3), SQA_OK);
    sqa_store_close(store);
    char *before = facts(), *schema = fixture_schema(path);
    size_t dispatched = count_dispatched();

    int refusals = 0, quarantined = 0;
    sqa_exchange exchange = import(text, &refusals);
    ck_assert_uint_eq(exchange.added, 0);
    ck_assert_uint_eq(exchange.known, 0);
    ck_assert_int_eq(refusals, LINES);
    ck_assert_uint_eq(exchange.refused, LINES);

    char *after = facts(), *schema_after = fixture_schema(path);
    ck_assert_str_eq(after, before);
    ck_assert_str_eq(schema_after, schema);
    ck_assert_uint_eq(count_dispatched(), dispatched);
    store = fixture_open(path);
    sqa_store_report report;
    ck_assert_int_eq(sqa_store_check(store, &report), SQA_OK);
    ck_assert_msg(report.sound && !report.doubtful, "%s%s", report.problem, report.doubt);
    ck_assert_int_eq(sqa_quarantine_each(store, check_quarantined, &quarantined), SQA_OK);
    sqa_store_close(store);
    /* Mutations that came out alike are one line. */
    ck_assert_int_eq(quarantined, report.quarantined);
    ck_assert_int_gt(quarantined, LINES / 2);

    /* Once more: nothing is kept twice. */
    import(text, &refusals);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM quarantine"), quarantined);
    free(before);
    free(after);
    free(schema);
    free(schema_after);
    free(good);
}
END_TEST

/* A line that was refused and is good after all leaves the quarantine. */
START_TEST(what_is_taken_in_leaves_quarantine)
{
    int refusals = 0;
    make_good_line();
    sqa_store_close(fixture_open(path));
    sqa_store *store = fixture_open(path);
    sqa_line line = {good, strlen(good), strlen(good), 1};
    ck_assert_int_eq(sqa_quarantine_add(store, &line, "a file", "line 1", "not known yet"), SQA_OK);
    sqa_store_close(store);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM quarantine"), 1);
    ck_assert_uint_eq(import(fixture_path("good.jsonl"), &refusals).added, 1);
    ck_assert_int_eq(fixture_number(path, "SELECT count(*) FROM quarantine"), 0);
    free(good);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostile");
    TCase *tcase = tcase_create("import");
    tcase_add_checked_fixture(tcase, setup, fixture_teardown);
    tcase_set_timeout(tcase, 240);
    tcase_add_test(tcase, all_is_quarantined_and_nothing_else_changes);
    tcase_add_test(tcase, what_is_taken_in_leaves_quarantine);
    suite_add_tcase(suite, tcase);
    return sqa_run_forked_suite(suite);
}
