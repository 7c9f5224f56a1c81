/* Turns what a runtime says of a device into one name for the hardware. Each kind
 * of runtime or vendor has a scheme of its own for where architecture and model
 * are found; the schemes are a table. No OpenCL call, no global state. */
#include "device/identity.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "device/hardware_names.h"

enum { NAME_SIZE = 192, MODEL_SIZE = 112 }; /* the model leaves room for "-64cu" */

/* The strings in lower case, trade marks blanked out. */
typedef struct reading {
    const sqa_device_strings *raw;
    char name[NAME_SIZE], board[NAME_SIZE], version[NAME_SIZE];
    char chip[64]; /* Mesa's chip name, from the parentheses */
} reading;

static void copy_text(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text);
}

/* Lower case, with "(R)", "(TM)", "(C)" and everything outside ASCII as blanks. */
static void read_lower(char out[NAME_SIZE], const char *text)
{
    static const char *const marks[] = {"(r)", "(tm)", "(c)"};
    copy_text(out, NAME_SIZE, text);
    for (char *at = out; *at; at++) {
        unsigned char byte = (unsigned char)*at;
        *at = byte < 0x20 || byte >= 0x7f ? ' ' : (char)tolower(byte);
    }
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        for (char *at = out; (at = strstr(at, marks[i])) != NULL;)
            memset(at, ' ', strlen(marks[i]));
    /* Bytes outside ASCII that sqa_utf8_escape() spelled out. */
    for (char *at = out; (at = strstr(at, "\\x")) != NULL; at += 2)
        if (isxdigit((unsigned char)at[2]) && isxdigit((unsigned char)at[3]))
            memset(at, ' ', 4);
}

static bool is_separator(char c)
{
    return !isalnum((unsigned char)c) && c != '-' && c != '.' && c != '+';
}

/* Appends the words of `text` to `out`, joined by '-', without the filler words. */
static void append_words(char *out, size_t size, const char *text)
{
    size_t used = strlen(out);
    while (*text) {
        size_t length = 0;
        while (text[length] && !is_separator(text[length]))
            length++;
        if (length > 0 && !sqa_is_filler_word(text, length) && used + length + 1 < size) {
            if (used > 0)
                out[used++] = '-';
            memcpy(out + used, text, length);
            used += length;
            out[used] = '\0';
        }
        text += length;
        text += *text != '\0';
    }
}

static void words_of(char *out, size_t size, const char *text)
{
    out[0] = '\0';
    append_words(out, size, text);
}

/* Ends `text` where `mark` begins. */
static void cut_at(char *text, const char *mark)
{
    char *at = strstr(text, mark);
    if (at && at != text)
        *at = '\0';
}

/* The CPU or GPU target at the end of PoCL's "HSTR: type-arch-vendor-os[-env]-cpu",
 * or of "HSTR: CUDA-sm_86". */
static void pocl_target(const reading *text, char *out, size_t size)
{
    out[0] = '\0';
    const char *at = strstr(text->version, "hstr: ");
    const char *arch = at ? strchr(at, '-') : NULL;
    if (!arch)
        return;
    at = ++arch;
    for (int field = 0; field < 3 && strchr(at, '-'); field++)
        at = strchr(at, '-') + 1;
    static const char *const environments[] = {"gnu", "musl", "android", "eabi"};
    for (size_t i = 0; i < sizeof environments / sizeof environments[0]; i++)
        if (!strncmp(at, environments[i], strlen(environments[i])) && strchr(at, '-')) {
            at = strchr(at, '-') + 1;
            break;
        }
    bool generic = !strcmp(at, "generic");
    snprintf(out, size, "%.*s", (int)(generic ? strcspn(arch, "-") : strlen(at)),
             generic ? arch : at);
    out[strcspn(out, " ")] = '\0';
}

static void describe_cpu(reading *text, sqa_device_identity *out)
{
    cut_at(text->name, " with ");
    cut_at(text->name, "@");
    cut_at(text->name, "(");
    words_of(out->model, MODEL_SIZE, text->name);
}

/* "pthread-haswell-AMD EPYC", "cpu-znver3-AMD Ryzen ...", older "pthread-Intel ...". */
static void describe_pocl_cpu(reading *text, sqa_device_identity *out)
{
    static const char *const prefixes[] = {"pthread", "basic", "cpu-minimal", "cpu"};
    pocl_target(text, out->architecture, sizeof out->architecture);
    char *name = text->name;
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t length = strlen(prefixes[i]);
        if (!strncmp(name, prefixes[i], length) && (name[length] == '-' || !name[length])) {
            name += length + (name[length] == '-');
            break;
        }
    }
    size_t target = strlen(out->architecture);
    if (target && !strncmp(name, out->architecture, target) && name[target] == '-')
        name += target + 1;
    memmove(text->name, name, strlen(name) + 1);
    describe_cpu(text, out);
}

/* "llvmpipe (LLVM 15.0.6, 256 bits)": the width is the CPU's, the version is not. */
static void describe_llvmpipe(reading *text, sqa_device_identity *out)
{
    const char *bits = strstr(text->name, " bits");
    const char *digit = bits;
    while (digit && digit > text->name && isdigit((unsigned char)digit[-1]))
        digit--;
    snprintf(out->architecture, sizeof out->architecture, "llvmpipe%s%.*s", bits ? "-" : "",
             bits ? (int)(bits - digit) : 0, bits ? digit : "");
    copy_text(out->model, sizeof out->model, "llvmpipe");
}

/* The "gfx90a" of "gfx90a:sramecc+:xnack-", or a chip's name; the model is the
 * board's, of which "Vega 10 [Radeon RX Vega 56]" is called by what is in brackets. */
static void describe_amd(reading *text, sqa_device_identity *out)
{
    char chip[64];
    char *bracket = strchr(text->board, '[');
    const char *name = bracket ? bracket + 1 : *text->board ? text->board : text->name;
    cut_at(text->name, "(");
    cut_at(text->name, ":");
    words_of(chip, sizeof chip, *text->chip ? text->chip : text->name);
    const char *known = sqa_architecture_of("amd", chip);
    copy_text(out->architecture, sizeof out->architecture, known ? known : chip);
    words_of(out->model, MODEL_SIZE, name);
}

static void describe_nvidia(reading *text, sqa_device_identity *out)
{
    char target[32];
    pocl_target(text, target, sizeof target);
    if (text->raw->nv_major > 0)
        snprintf(out->architecture, sizeof out->architecture, "sm_%u%u", text->raw->nv_major,
                 text->raw->nv_minor);
    else if (!strncmp(target, "sm_", 3))
        copy_text(out->architecture, sizeof out->architecture, target);
    cut_at(text->name, "(");
    words_of(out->model, MODEL_SIZE, text->name);
}

/* "Mali-G610 r0p0": the trailing revision is no part of the model. */
static void describe_arm(reading *text, sqa_device_identity *out)
{
    char *last = strrchr(text->name, ' ');
    if (last && last[1] == 'r' && isdigit((unsigned char)last[2]))
        *last = '\0';
    words_of(out->model, MODEL_SIZE, text->name);
}

/* Older devices say "QUALCOMM Adreno(TM)" and leave the number to the version. */
static void describe_adreno(reading *text, sqa_device_identity *out)
{
    const char *number = strstr(text->version, "adreno");
    words_of(out->model, MODEL_SIZE, text->name);
    if (!strpbrk(out->model, "0123456789") && number)
        words_of(out->model, MODEL_SIZE, number);
    const char *digits = strpbrk(out->model, "0123456789");
    if (digits && digits[-1] == '-')
        snprintf(out->architecture, sizeof out->architecture, "adreno-%cxx", digits[0]);
    else if (digits && digits > out->model + 1)
        snprintf(out->architecture, sizeof out->architecture, "adreno-%c%c", digits[-1], digits[0]);
}

/* "Apple M1 Pro": the generation is the architecture. */
static void describe_apple(reading *text, sqa_device_identity *out)
{
    words_of(out->model, MODEL_SIZE, text->name);
    snprintf(out->architecture, sizeof out->architecture, "%.*s", (int)strcspn(out->model, "-"),
             out->model);
}

/* "xilinx_u250_gen3x16_xdma_3_1_202020_1": the card; the shell on it may change. */
static void describe_xilinx(reading *text, sqa_device_identity *out)
{
    char *shell = strstr(text->name, "_gen");
    shell = shell ? shell : strstr(text->name, "_xdma");
    shell = shell ? shell : strstr(text->name, "_qdma");
    if (shell)
        *shell = '\0';
    words_of(out->model, MODEL_SIZE, text->name);
}

/* "pac_a10 : Intel PAC Platform (pac_ec00000)": the board before the colon. */
static void describe_intel_fpga(reading *text, sqa_device_identity *out)
{
    cut_at(text->name, " :");
    words_of(out->model, MODEL_SIZE, text->name);
}

static void describe_other(reading *text, sqa_device_identity *out)
{
    cut_at(text->name, "(");
    words_of(out->model, MODEL_SIZE, text->name);
}

enum { ANY_TYPE = -1 };

/* Whose words mean what. The first row that fits is used; NULL fits all. */
static const struct {
    const char *runtime, *vendor;
    int type;
    void (*describe)(reading *, sqa_device_identity *);
} schemes[] = {
    {"oclgrind", NULL, ANY_TYPE, describe_other},
    {"pocl", NULL, SQA_DEVICE_CPU, describe_pocl_cpu},
    {"intel-fpga", NULL, ANY_TYPE, describe_intel_fpga},
    {"intel-fpga-emulator", NULL, ANY_TYPE, describe_intel_fpga},
    {NULL, "mesa", ANY_TYPE, describe_llvmpipe},
    {NULL, NULL, SQA_DEVICE_CPU, describe_cpu},
    {NULL, "nvidia", ANY_TYPE, describe_nvidia},
    {NULL, "amd", ANY_TYPE, describe_amd},
    {NULL, "arm", ANY_TYPE, describe_arm},
    {NULL, "qualcomm", ANY_TYPE, describe_adreno},
    {NULL, "apple", ANY_TYPE, describe_apple},
    {NULL, "xilinx", ANY_TYPE, describe_xilinx},
    {NULL, NULL, ANY_TYPE, describe_other},
};

static bool fits(const char *wanted, const char *value)
{
    return !wanted || !strcmp(wanted, value);
}

/* The content of Mesa's parentheses up to the first word that names the chip:
 * "(radeonsi, navi31, LLVM 19.1.1, DRM 3.59, ...)". */
static void read_chip(reading *text)
{
    const char *open = strrchr(text->name, '(');
    if (!open)
        return;
    open++;
    if (!strncmp(open, "radeonsi, ", 10))
        open += 10;
    if (strncmp(open, "llvm", 4) != 0)
        snprintf(text->chip, sizeof text->chip, "%.*s", (int)strcspn(open, ",)"), open);
}

static void name_vendor(const reading *text, sqa_device_identity *out)
{
    char vendor[NAME_SIZE];
    read_lower(vendor, text->raw->device_vendor);
    const char *known = sqa_vendor_in_text(text->name);
    known = known ? known : sqa_vendor_in_text(vendor);
    if (known) {
        copy_text(out->vendor, sizeof out->vendor, known);
        return;
    }
    vendor[strcspn(vendor, " ,(")] = '\0';
    words_of(out->vendor, sizeof out->vendor, vendor);
    if (!*out->vendor)
        copy_text(out->vendor, sizeof out->vendor, "unknown");
}

static void name_runtime(const sqa_device_strings *strings, sqa_device_identity *out)
{
    char platform[NAME_SIZE];
    read_lower(platform, strings->platform_name);
    const char *known = sqa_runtime_of_platform(platform);
    if (known)
        copy_text(out->runtime, sizeof out->runtime, known);
    else
        words_of(out->runtime, sizeof out->runtime, platform);
    if (!*out->runtime)
        copy_text(out->runtime, sizeof out->runtime, "unknown");
}

/* What no scheme found: the architecture by the model, then by vendor and type. */
static void fill_gaps(const reading *text, sqa_device_identity *out)
{
    const char *known = *out->model ? sqa_architecture_of(out->vendor, out->model) : NULL;
    if (!*out->architecture && known && text->raw->type != SQA_DEVICE_CPU)
        copy_text(out->architecture, sizeof out->architecture, known);
    if (!*out->architecture)
        snprintf(out->architecture, sizeof out->architecture, "%s-%s", out->vendor,
                 sqa_device_type_name(text->raw->type));
    if (!*out->model)
        copy_text(out->model, MODEL_SIZE, out->architecture);
}

void sqa_device_identify(const sqa_device_strings *strings, sqa_device_identity *out)
{
    reading text = {.raw = strings};
    sqa_device_identity identity;
    memset(&identity, 0, sizeof identity);
    read_lower(text.name, strings->device_name);
    read_lower(text.board, strings->board_name);
    read_lower(text.version, strings->device_version);
    read_chip(&text);
    name_runtime(strings, &identity);
    name_vendor(&text, &identity);
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (fits(schemes[i].runtime, identity.runtime) &&
            fits(schemes[i].vendor, identity.vendor) &&
            (schemes[i].type == ANY_TYPE || schemes[i].type == (int)strings->type)) {
            schemes[i].describe(&text, &identity);
            break;
        }
    fill_gaps(&text, &identity);
    if (strings->type == SQA_DEVICE_CPU) {
        size_t used = strlen(identity.model);
        snprintf(identity.model + used, sizeof identity.model - used, "-%ucu",
                 strings->compute_units);
    }
    *out = identity;
}

const char *sqa_device_type_name(sqa_device_type type)
{
    static const char *const names[] = {
        [SQA_DEVICE_CPU] = "cpu",
        [SQA_DEVICE_GPU] = "gpu",
        [SQA_DEVICE_ACCELERATOR] = "accelerator",
        [SQA_DEVICE_OTHER] = "other",
    };
    return (unsigned)type < sizeof names / sizeof names[0] ? names[type] : "other";
}
