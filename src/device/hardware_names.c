/* The tables behind device identities. A new runtime, vendor or chip is a line
 * here. Within a table the first match counts, so longer names come first. */
#include "device/hardware_names.h"

#include <ctype.h>
#include <string.h>

typedef struct name_pair {
    const char *needle;
    const char *name;
} name_pair;

/* Parts of a platform's name. */
static const name_pair runtimes[] = {
    {"portable computing language", "pocl"},
    {"rusticl", "rusticl"},
    {"clover", "clover"},
    {"clvk", "clvk"},
    {"oclgrind", "oclgrind"},
    {"nvidia", "nvidia"},
    {"amd accelerated parallel", "amd"},
    {"fpga emulation", "intel-fpga-emulator"},
    {"fpga sdk", "intel-fpga"},
    {"altera sdk", "intel-fpga"},
    {"intel", "intel"},
    {"arm platform", "arm"},
    {"qualcomm", "qualcomm"},
    {"apple", "apple"},
    {"xilinx", "xilinx"},
    {NULL, NULL},
};

static const char *const programs_kept_by[] = {"pocl", "nvidia", "rusticl", "clover"};

/* Words of a device's or a vendor's name. */
static const name_pair vendors[] = {
    {"oclgrind", "oclgrind"},
    {"llvmpipe", "mesa"},
    {"nvidia", "nvidia"},
    {"geforce", "nvidia"},
    {"quadro", "nvidia"},
    {"tesla", "nvidia"},
    {"tegra", "nvidia"},
    {"adreno", "qualcomm"},
    {"qualcomm", "qualcomm"},
    {"mali", "arm"},
    {"immortalis", "arm"},
    {"powervr", "imagination"},
    {"imagination", "imagination"},
    {"xilinx", "xilinx"},
    {"apple", "apple"},
    {"authenticamd", "amd"},
    {"amd", "amd"},
    {"radeon", "amd"},
    {"advanced micro devices", "amd"},
    {"genuineintel", "intel"},
    {"intel", "intel"},
    {"altera", "intel"},
    {"broadcom", "broadcom"},
    {"arm", "arm"},
    {"mesa", "mesa"},
    {NULL, NULL},
};

/* AMD: what Mesa and the older drivers call a chip, as the compiler target that
 * newer drivers report, so that one card has one architecture everywhere. */
static const name_pair amd_architectures[] = {
    {"tahiti", "gfx600"},
    {"pitcairn", "gfx601"},
    {"hawaii", "gfx701"},
    {"tonga", "gfx802"},
    {"fiji", "gfx803"},
    {"polaris10", "gfx803"},
    {"polaris11", "gfx803"},
    {"polaris12", "gfx803"},
    {"ellesmere", "gfx803"},
    {"baffin", "gfx803"},
    {"stoney", "gfx810"},
    {"vega10", "gfx900"},
    {"raven2", "gfx909"},
    {"raven", "gfx902"},
    {"vega12", "gfx904"},
    {"vega20", "gfx906"},
    {"arcturus", "gfx908"},
    {"aldebaran", "gfx90a"},
    {"renoir", "gfx90c"},
    {"navi10", "gfx1010"},
    {"navi12", "gfx1011"},
    {"navi14", "gfx1012"},
    {"navi21", "gfx1030"},
    {"navi22", "gfx1031"},
    {"navi23", "gfx1032"},
    {"vangogh", "gfx1033"},
    {"navi24", "gfx1034"},
    {"rembrandt", "gfx1035"},
    {"raphael-mendocino", "gfx1036"},
    {"navi31", "gfx1100"},
    {"navi32", "gfx1101"},
    {"navi33", "gfx1102"},
    {"phoenix", "gfx1103"},
    {"navi44", "gfx1200"},
    {"navi48", "gfx1201"},
    {NULL, NULL},
};

static const name_pair intel_architectures[] = {
    {"arc-a", "xe-hpg"},
    {"arc-b", "xe2-hpg"},
    {"data-center-gpu-flex", "xe-hpg"},
    {"data-center-max", "xe-hpc"},
    {"data-center-flex", "xe-hpg"},
    {"iris-xe", "xe-lp"},
    {"xe-graphics", "xe-lp"},
    {"uhd-graphics-7", "xe-lp"},
    {"uhd-graphics-6", "gen9"},
    {"hd-graphics-6", "gen9"},
    {"hd-graphics-5", "gen9"},
    {"gen12", "xe-lp"},
    {"gen11", "gen11"},
    {"gen9", "gen9"},
    {"gen8", "gen8"},
    {"arria", "arria-10"},
    {"pac-a10", "arria-10"},
    {"a10", "arria-10"},
    {"pac-s10", "stratix-10"},
    {"stratix", "stratix-10"},
    {"s10", "stratix-10"},
    {"agilex", "agilex"},
    {"cyclone", "cyclone-v"},
    {"de10", "cyclone-v"},
    {"de1soc", "cyclone-v"},
    {"c5soc", "cyclone-v"},
    {"emulat", "emulator"},
    {NULL, NULL},
};

static const name_pair arm_architectures[] = {
    {"mali-t", "midgard"},
    {"mali-g31", "bifrost"},
    {"mali-g51", "bifrost"},
    {"mali-g52", "bifrost"},
    {"mali-g71", "bifrost"},
    {"mali-g72", "bifrost"},
    {"mali-g76", "bifrost"},
    {"mali-g620", "5th-gen"},
    {"mali-g720", "5th-gen"},
    {"mali-g925", "5th-gen"},
    {"immortalis-g7", "valhall"},
    {"mali-g", "valhall"},
    {NULL, NULL},
};

static const name_pair xilinx_architectures[] = {
    {"vck", "versal"},
    {"vek", "versal"},
    {"v70", "versal"},
    {"vcu", "ultrascale-plus"},
    {"zcu", "zynq-ultrascale-plus"},
    {"kv260", "zynq-ultrascale-plus"},
    {"aws-vu9p", "ultrascale-plus"},
    {"u", "ultrascale-plus"},
    {NULL, NULL},
};

static const struct {
    const char *vendor;
    const name_pair *architectures;
} architectures[] = {
    {"amd", amd_architectures},
    {"intel", intel_architectures},
    {"arm", arm_architectures},
    {"xilinx", xilinx_architectures},
};

static const char *const filler_words[] = {
    "amd",          "apple",    "authenticamd", "corporation", "cpu",    "gen",
    "genuineintel", "gpu",      "inc.",         "intel",       "mesa",   "neo",
    "nvidia",       "oclgrind", "processor",    "qualcomm",    "xilinx",
};

const char *sqa_runtime_of_platform(const char *platform_name)
{
    for (const name_pair *row = runtimes; row->needle; row++)
        if (strstr(platform_name, row->needle))
            return row->name;
    return NULL;
}

/* Whether `needle` stands in `text` with no letter or digit touching it. */
static bool contains_word(const char *text, const char *needle)
{
    size_t length = strlen(needle);
    for (const char *at = text; (at = strstr(at, needle)) != NULL; at++) {
        bool starts = at == text || !isalnum((unsigned char)at[-1]);
        if (starts && !isalnum((unsigned char)at[length]))
            return true;
    }
    return false;
}

bool sqa_runtime_keeps_programs(const char *runtime)
{
    for (size_t i = 0; i < sizeof programs_kept_by / sizeof programs_kept_by[0]; i++)
        if (!strcmp(runtime, programs_kept_by[i]))
            return true;
    return false;
}

const char *sqa_vendor_in_text(const char *text)
{
    for (const name_pair *row = vendors; row->needle; row++)
        if (contains_word(text, row->needle))
            return row->name;
    return NULL;
}

const char *sqa_architecture_of(const char *vendor, const char *name)
{
    for (size_t i = 0; i < sizeof architectures / sizeof architectures[0]; i++) {
        if (strcmp(architectures[i].vendor, vendor) != 0)
            continue;
        for (const name_pair *row = architectures[i].architectures; row->needle; row++)
            if (strstr(name, row->needle))
                return row->name;
    }
    return NULL;
}

bool sqa_is_filler_word(const char *word, size_t length)
{
    for (size_t i = 0; i < sizeof filler_words / sizeof filler_words[0]; i++)
        if (strlen(filler_words[i]) == length && !strncmp(filler_words[i], word, length))
            return true;
    bool core_count = length > 5 && !strncmp(word + length - 5, "-core", 5);
    bool ordinal = length > 2 && isdigit((unsigned char)word[0]) &&
                   isdigit((unsigned char)word[length - 3]) && word[length - 2] == 't' &&
                   word[length - 1] == 'h';
    return core_count || ordinal;
}
