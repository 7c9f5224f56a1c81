/* sqa run with masks, windows, biases, block lists and ragged batches: every option
 * against the reference, alone and together, and what each refuses. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "cli/run_inputs.h"
#include "operations/attention/slots.h"
#include "run_suite.h"

#define BLOCKS " --block-offsets @/block_offsets.npy --block-indices @/block_indices.npy"
#define STARTS " --cu-seqlens-q @/cu_seqlens_q.npy --cu-seqlens-k @/cu_seqlens_kv.npy"
#define PAGES " --block-table @/block_table.npy --kv-lengths @/kv_lengths.npy"
#define LSE " --lse @/lse.npy"

static const struct {
    const char *shape, *options;
    bool least_rank;
} runs[] = {
    {"hq=2,nq=30,nk=37,d=8,window=7:3,lse", " --window 7,3" LSE, false},
    {"hq=2,nq=30,nk=37,d=8,window=5:-1,align=top-left", " --window 5,-1 --align top-left", false},
    {"hq=2,hkv=1,n=40,d=8,window=6:0,causal", " --window=6,0 --causal", false},
    {"hq=1,n=40,d=8,window=2:2,globals=5", " --window 2,2 --globals 5", false},
    {"hq=1,n=40,d=8,window=2:2,globals=list4", " --window 2,2 --globals @/globals.npy", false},
    {"hq=3,n=21,d=8,softcap=0.5,scale=2,lse", " --softcap 0.5 --scale 2" LSE, false},
    {"hq=6,hkv=2,nq=9,nk=21,d=8,alibi=geometric", " --alibi geometric", false},
    {"hq=3,nq=9,nk=21,d=8,alibi=slopes", " --alibi @/slopes.npy", false},
    {"b=2,hq=2,nq=9,nk=12,d=8,bias=f32/bhq", " --bias @/bias.npy", false},
    {"b=2,hq=2,nq=9,nk=12,d=8,bias=f16/q,dtype=f16", " --bias @/bias.npy", true},
    {"b=2,hq=2,hkv=4,nq=9,nk=12,d=8,bias=f32/hq", " --bias @/bias.npy", true},
    {"b=2,hq=2,nq=9,nk=12,d=8,bias=f32/b", " --bias @/bias.npy", true},
    {"b=2,hq=2,nq=9,nk=12,d=8,bias=f32/", " --bias @/bias.npy", true},
    {"b=2,hq=2,nq=9,nk=12,d=8,mask=bhq,lse", " --mask @/mask.npy" LSE, false},
    {"b=2,hq=2,nq=9,nk=12,d=8,mask=q", " --mask @/mask.npy", true},
    {"b=3,hq=2,nq=9,nk=12,d=8,mask=bq,causal", " --mask @/mask.npy --causal", false},
    {"b=3,hq=2,nq=5,nk=12,d=8,keymask", " --key-mask @/key_mask.npy", false},
    {"hq=4,hkv=2,nq=5,nk=12,d=8,sinks,lse", " --sinks @/sinks.npy" LSE, false},
    {"hq=2,nq=40,nk=50,d=8,blocks=8x8@0.5", " --block-size 8,8" BLOCKS, false},
    {"b=2,hq=3,nq=40,nk=50,d=8,blocks=16x8@0.4/h", " --block-size 16,8" BLOCKS, false},
    {"b=2,hq=2,hkv=4,nq=33,nk=31,d=8,blocks=9x7@0.6/bh,causal", " --block-size 9,7 --causal" BLOCKS,
     false},
    {"hq=1,n=24,d=8,blocks=64x64@1", " --block-size 64,64" BLOCKS, false},
    {"b=5,hq=2,nq=11,nk=13,d=8,ragged=30:41,lse", STARTS LSE, false},
    {"b=4,hq=4,hkv=2,n=12,d=8,ragged=33:33,causal", STARTS " --causal", false},
    /* Drawn so that the longest sequences are as long as the shape says. */
    {"b=3,hq=2,nq=9,nk=14,d=8,ragged=20:40,window=3:1,keymask,bias=f32/hq",
     STARTS " --window 3,1 --key-mask @/key_mask.npy --bias @/bias.npy", false},
    {"b=3,hq=4,hkv=2,nq=3,nk=40,d=8,causal,page=5,lse", PAGES LSE " --causal", false},
    {"b=4,hq=4,hkv=2,nq=3,nk=20,d=8,causal,ragged=7:0,page=5",
     PAGES " --cu-seqlens-q @/cu_seqlens_q.npy --causal", false},
    {"b=3,hq=2,nq=2,nk=20,d=32,page=4,kv=int4", PAGES " --kv-format int4", false},
    {"b=2,hq=2,nq=1,nk=48,d=8,window=20:0,keymask,page=16,pages=9,dtype=f16",
     PAGES " --window 20,0 --key-mask @/key_mask.npy", false},
    {"b=2,hq=2,n=30,d=8,window=9:0,globals=2,causal,alibi=geometric,sinks,softcap=3,lse",
     " --window 9,0 --globals 2 --causal --alibi geometric --sinks @/sinks.npy --softcap 3" LSE,
     false},
    {"b=2,hq=4,hkv=1,nq=24,nk=32,d=16,blocks=8x8@0.7/h,window=13:4,mask=b,bias=f16/h,dtype=f16",
     " --block-size 8,8 --window 13,4 --mask @/mask.npy --bias @/bias.npy" BLOCKS, false},
    {"hq=2,nq=12,nk=0,d=8,bias=f32/q,mask=q,lse", " --bias @/bias.npy --mask @/mask.npy" LSE, true},
    {"hq=2,nq=0,nk=9,d=8,mask=bhq,keymask", " --mask @/mask.npy --key-mask @/key_mask.npy", false},
};
enum { RUN_COUNT = sizeof runs / sizeof runs[0] };

START_TEST(right_answer)
{
    run_inputs in;
    char options[512];
    /* Any kernel will do, and this one is compiled in no time. */
    snprintf(options, sizeof options, "%s%s", runs[_i].options, _i % 4 ? " --family naive" : "");
    make_run_inputs(&in, runs[_i].shape, runs[_i].least_rank);
    const program_result *result = run_files(options);
    ck_assert_msg(result->code == 0, "%s: %.600s", runs[_i].shape, result->err);
    ck_assert_str_eq(result->out, "");
    check_outputs(&in);
    free_run_inputs(&in);
}
END_TEST

/* Blocks that the device selects. */
static const struct {
    const char *shape, *options;
} selections[] = {
    {"op=selected_forward,hq=2,n=64,d=16,blocks=8x8/h,topk=3,localblocks=1,causal",
     " --block-size 8,8 --top-k 3 --local-blocks 1 --lists head --causal"},
    {"op=selected_forward,b=2,hq=4,hkv=2,nq=50,nk=70,d=8,blocks=16x8/k,topk=4,sinkblocks=1,lse",
     " --block-size 16,8 --top-k 4 --sink-blocks 1 --lists kv" LSE},
    {"op=selected_forward,hq=2,nq=20,nk=30,d=8,blocks=8x8,topk=2,softcap=3,alibi=geometric",
     " --block-size 8,8 --top-k 2 --lists all --softcap 3 --alibi geometric"},
};
enum { SELECTIONS = sizeof selections / sizeof selections[0] };

START_TEST(selects)
{
    run_inputs in;
    make_run_inputs(&in, selections[_i].shape, false);
    const program_result *result = run_files(selections[_i].options);
    ck_assert_msg(result->code == 0, "%.600s", result->err);
    check_judged(&in);
    free_run_inputs(&in);
}
END_TEST

#define ON_DEVICE_77 " --device 77:0" /* which does not exist: refused before it is opened */

/* On Q of (2, 4, 6, 4), K and V of (2, 2, 8, 4): words alone. */
static const struct {
    const char *options, *message;
} wrong_words[] = {
    {" --window 5", "--window is '5'; expected L,R, each from 0 to 1073741823 or -1"},
    {" --window 5:0", "--window is '5:0'"},
    {" --window -2,0", "--window is '-2,0'"},
    {" --softcap 0", "--softcap is '0'; expected a finite number above 0"},
    {" --softcap inf", "--softcap is 'inf'"},
    {" --window 1,1 --globals 1048577",
     "--globals is '1048577'; expected a number from 0 to 1048576"},
    {" --window 1,1 --globals @/none.npy", "--globals: @/none.npy: No such file"},
    {" --alibi @/none.npy", "--alibi: @/none.npy: No such file"},
    {" --bias @/none.npy", "--bias: @/none.npy: No such file"},
    {" --globals 3", "--globals needs --window"},
    {" --align top-left", "--align needs --causal, --window, --alibi or --local-blocks"},
    {" --block-size 8,8", "--block-size needs --block-offsets or --top-k"},
    {" --block-offsets @/q.npy", "--block-offsets needs --block-size"},
    {" --block-size 8,8 --block-offsets @/q.npy", "--block-offsets needs --block-indices"},
    {" --block-size 8,8 --top-k 1 --block-indices @/q.npy",
     "--block-indices needs --block-offsets"},
    {" --lists all", "--lists needs --top-k"},
    {" --block-size 0,8" BLOCKS, "--block-size is '0,8'; expected Q,K, each from 1 to 1073741824"},
    {" --block-size 8" BLOCKS, "--block-size is '8'"},
    {" --block-size 8,8 --globals 1" BLOCKS, "--globals and --block-size exclude each other"},
    {" --block-size 8,8 --top-k 0", "--top-k is '0'; expected a number from 1 to"},
    {" --top-k 2", "--top-k needs --block-size"},
    {" --block-size 8,8 --top-k 2" BLOCKS, "--top-k and --block-offsets exclude each other"},
    {" --sink-blocks 2", "--sink-blocks needs --top-k"},
    {" --local-blocks 2", "--local-blocks needs --top-k"},
    {" --block-size 8,8 --top-k 2 --lists some", "--lists is 'some'; expected head, kv or all"},
    {" --cu-seqlens-q @/q.npy", "--cu-seqlens-q needs --cu-seqlens-k or --block-table"},
    {" --cu-seqlens-k @/q.npy", "--cu-seqlens-k needs --cu-seqlens-q"},
};
enum { WORDS_COUNT = sizeof wrong_words / sizeof wrong_words[0] };

/* The message with the work folder for @. */
static void fill_in(const char *message, char out[256])
{
    const char *at = strchr(message, '@');
    snprintf(out, 256, "%.*s%s%s", at ? (int)(at - message) : (int)strlen(message), message,
             at ? work_folder : "", at ? at + 1 : "");
}

static void check_refused_early(const char *options, const char *message)
{
    char all[512], filled[256];
    snprintf(all, sizeof all, "%s" ON_DEVICE_77, options);
    fill_in(message, filled);
    check_refused(run_files(all), "sqa run: --", filled);
}

START_TEST(words)
{
    run_inputs in;
    make_run_inputs(&in, "b=2,hq=4,hkv=2,nq=6,nk=8,d=4", false);
    check_refused_early(wrong_words[_i].options, wrong_words[_i].message);
    free_run_inputs(&in);
}
END_TEST

/* An array x.npy, of zeros, that does not fit. */
static const struct {
    const char *options, *descr;
    size_t element;
    uint32_t rank;
    uint64_t shape[4];
    const char *message;
} wrong_files[] = {
    {" --bias @/x.npy", "<i4", 4, 2, {6, 8}, "dtype '<i4'; expected little-endian '<f4' (float32)"},
    {" --bias @/x.npy", "<f4", 4, 1, {8}, "shape (8,); expected 2 to 4 dimensions (Nq, Nk), (H,"},
    {" --bias @/x.npy",
     "<f4",
     4,
     2,
     {6, 7},
     "--bias: @/x.npy: shape (6, 7); expected (Nq, Nk), (H, Nq, Nk) or (B, H, Nq, Nk) with B of 1 "
     "or "
     "2, H of 1 or 4, Nq of 1 or 6, Nk of 8"},
    {" --bias @/x.npy", "<f4", 4, 3, {2, 6, 8}, "shape (2, 6, 8); expected"},
    {" --bias @/x.npy", "<f2", 2, 4, {2, 4, 5, 8}, "shape (2, 4, 5, 8); expected"},
    {" --mask @/x.npy", "<f4", 4, 2, {6, 8}, "--mask: @/x.npy: dtype '<f4'; expected '|b1' (bool)"},
    {" --mask @/x.npy", "|b1", 1, 4, {3, 1, 6, 8}, "shape (3, 1, 6, 8); expected"},
    {" --key-mask @/x.npy",
     "|b1",
     1,
     2,
     {1, 8},
     "--key-mask: @/x.npy: shape (1, 8); expected (B, Nk) of (2, 8)"},
    {" --sinks @/x.npy", "<f4", 4, 1, {2}, "expected (H,) of (4,), the output heads"},
    {" --alibi @/x.npy", "<f4", 4, 1, {5}, "--alibi: @/x.npy: shape (5,); expected (H,) of (4,)"},
    {" --window 1,1 --globals @/x.npy",
     "<f4",
     4,
     1,
     {5},
     "expected little-endian '<i4' (int32) or '<i8'"},
    {" --window 1,1 --globals @/x.npy",
     "<i4",
     4,
     1,
     {1048577},
     "expected at most 1048576 positions"},
    {" --block-size 2,2 --block-offsets @/x.npy --block-indices @/x.npy",
     "<i4",
     4,
     1,
     {6},
     "--block-offsets: @/x.npy: shape (6,); expected a number for each of the 3 query blocks, "
     "once, "
     "per head (4) or per batch and head (8), and one more"},
    {" --cu-seqlens-q @/x.npy --cu-seqlens-k @/x.npy",
     "<i4",
     4,
     1,
     {3},
     "Q has batch 2; expected 1, all sequences in a row"},
    {" --cu-seqlens-q @/x.npy --cu-seqlens-k @/x.npy",
     "<i4",
     4,
     1,
     {0},
     "expected the starts of 0 to 65535 sequences, and the end"},
};
enum { FILES_COUNT = sizeof wrong_files / sizeof wrong_files[0] };

START_TEST(files)
{
    run_inputs in;
    make_run_inputs(&in, "b=2,hq=4,hkv=2,nq=6,nk=8,d=4", false);
    save_array("x.npy", wrong_files[_i].descr, wrong_files[_i].rank, wrong_files[_i].shape, NULL,
               wrong_files[_i].element);
    check_refused_early(wrong_files[_i].options, wrong_files[_i].message);
    free_run_inputs(&in);
}
END_TEST

#define X_AND_Y(first, second) first " @/x.npy " second " @/y.npy"
#define LISTS " --block-size 4,4" X_AND_Y(" --block-offsets", "--block-indices")
#define SEQUENCES X_AND_Y(" --cu-seqlens-q", "--cu-seqlens-k")

/* Index tensors whose numbers make no sense, on lengths of 8. */
static const struct {
    const char *options;
    uint64_t x_count, y_count;
    int32_t x[4], y[4];
    const char *message;
} wrong_numbers[] = {
    {LISTS, 3, 2, {0, 1, 2}, {0, 2}, "list 1, is 2; outside 0..1"},
    {LISTS, 3, 2, {0, 2, 2}, {1, 1}, "indices: list 0 names block 1 twice"},
    {LISTS, 3, 2, {0, 2, 1}, {1, 0}, "offsets: decrease from 2 to 1 after list 1"},
    {LISTS, 3, 2, {0, 1, 1}, {1, 0}, "offsets: end with 1 instead of entries (2)"},
    {LISTS, 3, 2, {1, 1, 2}, {1, 0}, "--block-offsets @/x.npy, --block-indices"},
    {" --window 1,1 --globals @/x.npy",
     2,
     1,
     {3, 3},
     {0},
     "--globals: @/x.npy: positions: 3 follows 3; not ascending"},
    {" --window 1,1 --globals @/x.npy", 2, 1, {3, 8}, {0}, "number 1 is 8; outside the 8 keys"},
    {SEQUENCES, 3, 3, {0, 5, 8}, {0, 5, 7}, "cu_seqlens_kv: ends with 7 instead of the total, 8"},
    {SEQUENCES, 3, 3, {0, 9, 8}, {0, 5, 8}, "cu_seqlens_q: sequence 0 has length 9"},
    {SEQUENCES, 4, 4, {0, 6, 3, 8}, {0, 3, 6, 8}, "decreases from 6 to 3 after sequence 1"},
    {SEQUENCES, 3, 2, {0, 5, 8}, {0, 8}, "expected (3,), as --cu-seqlens-q has"},
};
enum { NUMBERS_COUNT = sizeof wrong_numbers / sizeof wrong_numbers[0] };

START_TEST(numbers)
{
    run_inputs in;
    char filled[256];
    make_run_inputs(&in, "hq=2,n=8,d=4", false);
    save_array("x.npy", "<i4", 1, &wrong_numbers[_i].x_count, wrong_numbers[_i].x, 4);
    save_array("y.npy", "<i4", 1, &wrong_numbers[_i].y_count, wrong_numbers[_i].y, 4);
    fill_in(wrong_numbers[_i].message, filled);
    check_refused(run_files(wrong_numbers[_i].options), "sqa run: --", filled);
    free_run_inputs(&in);
}
END_TEST

/* Positions as NumPy makes them by default. */
START_TEST(wide_integers)
{
    run_inputs in;
    make_run_inputs(&in, "hq=1,n=40,d=8,window=2:2,globals=list4", false);
    const int32_t *positions = in.given.by_slot[SQA_SLOT_GLOBALS];
    const int64_t wide[4] = {positions[0], positions[1], positions[2], positions[3]};
    const uint64_t four = 4;
    save_array("globals.npy", "<i8", 1, &four, wide, 8);
    const program_result *result = run_files(" --window 2,2 --globals @/globals.npy");
    ck_assert_msg(result->code == 0, "%s", result->err);
    check_outputs(&in);
    free_run_inputs(&in);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sqa run, patterns");
    TCase *tests = tcase_create("patterns");
    tcase_set_timeout(tests, 120);
    tcase_add_checked_fixture(tests, work_folder_set_up, work_folder_tear_down);
    tcase_add_loop_test(tests, right_answer, 0, RUN_COUNT);
    tcase_add_loop_test(tests, selects, 0, SELECTIONS);
    tcase_add_loop_test(tests, words, 0, WORDS_COUNT);
    tcase_add_loop_test(tests, files, 0, FILES_COUNT);
    tcase_add_loop_test(tests, numbers, 0, NUMBERS_COUNT);
    tcase_add_test(tests, wide_integers);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
