/* Device identities from what real runtimes have been seen to report. */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/architectures.h"
#include "device/identity.h"
#include "run_suite.h"

typedef struct recording {
    const char *platform, *name, *vendor, *version, *board;
    unsigned nv_major, nv_minor, compute_units;
    sqa_device_type type;
    const char *expected; /* runtime: vendor / architecture / model */
} recording;

#define POCL "Portable Computing Language"
#define AMD_PLATFORM "AMD Accelerated Parallel Processing"
#define AMD_VENDOR "Advanced Micro Devices, Inc."
#define INTEL_VENDOR "Intel(R) Corporation"
#define CPU SQA_DEVICE_CPU
#define GPU SQA_DEVICE_GPU
#define FPGA SQA_DEVICE_ACCELERATOR

static const recording recordings[] = {
    /* PoCL, old and new */
    {POCL, "pthread-haswell-AMD EPYC", "AuthenticAMD",
     "OpenCL 3.0 PoCL HSTR: pthread-x86_64-pc-linux-gnu-haswell", "", 0, 0, 2, CPU,
     "pocl: amd / haswell / epyc-2cu"},
    {POCL, "cpu-haswell-AMD EPYC", "AuthenticAMD",
     "OpenCL 3.0 PoCL HSTR: cpu-x86_64-pc-linux-gnu-haswell", "", 0, 0, 2, CPU,
     "pocl: amd / haswell / epyc-2cu"},
    {POCL, "cpu-haswell-Intel(R) Core(TM) i7-6700 CPU @ 3.40GHz", "GenuineIntel",
     "OpenCL 3.0 PoCL HSTR: cpu-x86_64-pc-linux-gnu-haswell", "", 0, 0, 8, CPU,
     "pocl: intel / haswell / core-i7-6700-8cu"},
    {POCL, "pthread-Intel(R) Core(TM) i5 CPU         760  @ 2.80GHz", "GenuineIntel",
     "OpenCL 1.2 pocl HSTR: pthread-x86_64-pc-linux-gnu-nehalem", "", 0, 0, 4, CPU,
     "pocl: intel / nehalem / core-i5-760-4cu"},
    {POCL, "pthread-AMD Ryzen 7 1700 Eight-Core Processor", "AuthenticAMD",
     "OpenCL 1.2 pocl HSTR: pthread-x86_64-pc-linux-gnu-znver1", "", 0, 0, 16, CPU,
     "pocl: amd / znver1 / ryzen-7-1700-16cu"},
    {POCL, "pthread-Common KVM processor", "GenuineIntel",
     "OpenCL 1.2 pocl HSTR: pthread-x86_64-pc-linux-gnu-k6-3", "", 0, 0, 1, CPU,
     "pocl: intel / k6-3 / common-kvm-1cu"},
    {POCL, "pthread-AArch64 Processor rev 4 (aarch64)", "Unknown x86",
     "OpenCL 1.2 pocl HSTR: pthread-aarch64--linux-android-cortex-a73", "", 0, 0, 4, CPU,
     "pocl: unknown / cortex-a73 / aarch64-rev-4-4cu"},
    {POCL, "pthread-0x0a1", "Cavium",
     "OpenCL 1.2 pocl HSTR: pthread-aarch64-unknown-linux-gnu-GENERIC", "", 0, 0, 96, CPU,
     "pocl: cavium / aarch64 / 0x0a1-96cu"},
    {POCL, "pthread", "ARM", "OpenCL 3.0 PoCL HSTR: pthread-arm64-apple-macosx13.0.0-apple-m1", "",
     0, 0, 10, CPU, "pocl: arm / apple-m1 / apple-m1-10cu"},
    {POCL, "cpu", "Unknown", "OpenCL 3.0 PoCL HSTR: cpu-loongarch64-unknown-linux-gnu-la464", "", 0,
     0, 8, CPU, "pocl: unknown / la464 / la464-8cu"},
    {POCL, "NVIDIA GeForce RTX 3060", "NVIDIA Corporation", "OpenCL 3.0 PoCL HSTR: CUDA-sm_86", "",
     0, 0, 28, GPU, "pocl: nvidia / sm_86 / geforce-rtx-3060"},

    /* Bytes that are no UTF-8, as sqa_device_query() spells them, and as UTF-8 they would be */
    {POCL, "pthread-Intel\\xae Core\\xaa i7", "GenuineIntel",
     "OpenCL 1.2 pocl HSTR: pthread-x86_64-pc-linux-gnu-nehalem", "", 0, 0, 4, CPU,
     "pocl: intel / nehalem / core-i7-4cu"},
    {POCL, "pthread-Intel\xc2\xae Core\xe2\x84\xa2 i7", "GenuineIntel",
     "OpenCL 1.2 pocl HSTR: pthread-x86_64-pc-linux-gnu-nehalem", "", 0, 0, 4, CPU,
     "pocl: intel / nehalem / core-i7-4cu"},

    /* Mesa: LLVM, DRM and kernel versions are no part of the device */
    {"rusticl", "llvmpipe (LLVM 15.0.6, 256 bits)", "Mesa", "OpenCL 3.0 ", "", 0, 0, 2, CPU,
     "rusticl: mesa / llvmpipe-256 / llvmpipe-2cu"},
    {"rusticl", "llvmpipe (LLVM 19.1.7, 256 bits)", "Mesa", "OpenCL 3.0 ", "", 0, 0, 2, CPU,
     "rusticl: mesa / llvmpipe-256 / llvmpipe-2cu"},
    {"rusticl", "AMD Radeon RX 6600 (navi23, LLVM 15.0.7, DRM 3.49, 6.1.0)", "AMD", "OpenCL 3.0 ",
     "", 0, 0, 28, GPU, "rusticl: amd / gfx1032 / radeon-rx-6600"},
    {"rusticl",
     "AMD Radeon Graphics (radeonsi, raphael_mendocino, LLVM 19.1.1, DRM 3.59, "
     "6.11.3-1472.native)",
     "AMD", "OpenCL 3.0", "", 0, 0, 2, GPU, "rusticl: amd / gfx1036 / radeon-graphics"},
    {"rusticl",
     "AMD Radeon Pro WX 4100 (radeonsi, polaris11, LLVM 18.1.8, DRM 3.59, 6.11.8-aosc-main)", "AMD",
     "OpenCL 3.0", "", 0, 0, 16, GPU, "rusticl: amd / gfx803 / radeon-pro-wx-4100"},
    {"Clover", "RENOIR (renoir, LLVM 15.0.7, DRM 3.54, 6.5.3-060503-generic)", "AMD",
     "OpenCL 1.1 Mesa 22.3.7 - kisak-mesa PPA", "", 0, 0, 7, GPU, "clover: amd / gfx90c / renoir"},
    {"rusticl", "Mesa Intel(R) Xe Graphics (TGL GT2)", "Intel", "OpenCL 3.0 ", "", 0, 0, 96, GPU,
     "rusticl: intel / xe-lp / xe-graphics"},
    {"rusticl", "Mesa Intel(R) Arc(tm) A770 Graphics (DG2)", "Intel", "OpenCL 3.0 ", "", 0, 0, 512,
     GPU, "rusticl: intel / xe-hpg / arc-a770-graphics"},

    /* AMD: board name and compiler target */
    {AMD_PLATFORM, "gfx90a:sramecc+:xnack-", AMD_VENDOR, "OpenCL 2.0 ", "AMD Instinct MI250X", 0, 0,
     110, GPU, "amd: amd / gfx90a / instinct-mi250x"},
    {AMD_PLATFORM, "gfx900:xnack-", AMD_VENDOR, "OpenCL 2.0 ",
     "Vega 10 XL/XT [Radeon RX Vega 56/64]", 0, 0, 64, GPU,
     "amd: amd / gfx900 / radeon-rx-vega-56-64"},
    {AMD_PLATFORM, "gfx1032", AMD_VENDOR, "OpenCL 2.0 ", "AMD Radeon RX 6600", 0, 0, 14, GPU,
     "amd: amd / gfx1032 / radeon-rx-6600"},
    {AMD_PLATFORM, "Ellesmere", AMD_VENDOR, "OpenCL 2.0 AMD-APP (3075.10)",
     "Radeon (TM) RX 480 Graphics", 0, 0, 36, GPU, "amd: amd / gfx803 / radeon-rx-480-graphics"},
    {AMD_PLATFORM, "gfx908:sramecc+:xnack-", AMD_VENDOR, "OpenCL 2.0 ", "", 0, 0, 120, GPU,
     "amd: amd / gfx908 / gfx908"},

    /* NVIDIA: name and compute capability */
    {"NVIDIA CUDA", "NVIDIA H100 PCIe", "NVIDIA Corporation", "OpenCL 3.0 CUDA", "", 9, 0, 114, GPU,
     "nvidia: nvidia / sm_90 / h100-pcie"},
    {"NVIDIA CUDA", "Tesla V100-PCIE-16GB", "NVIDIA Corporation", "OpenCL 1.2 CUDA", "", 7, 0, 80,
     GPU, "nvidia: nvidia / sm_70 / tesla-v100-pcie-16gb"},
    {"NVIDIA CUDA", "GeForce GTX 1080", "NVIDIA Corporation", "OpenCL 1.2 CUDA", "", 6, 1, 20, GPU,
     "nvidia: nvidia / sm_61 / geforce-gtx-1080"},
    {"NVIDIA CUDA", "NVIDIA GeForce RTX 5070", "NVIDIA Corporation", "OpenCL 3.0 CUDA", "", 12, 0,
     48, GPU, "nvidia: nvidia / sm_120 / geforce-rtx-5070"},

    /* Intel GPU */
    {"Intel(R) OpenCL HD Graphics", "Intel(R) Arc(TM) A770 Graphics", INTEL_VENDOR,
     "OpenCL 3.0 NEO ", "", 0, 0, 512, GPU, "intel: intel / xe-hpg / arc-a770-graphics"},
    {"Intel(R) OpenCL HD Graphics", "Intel(R) Gen9 HD Graphics NEO", INTEL_VENDOR,
     "OpenCL 1.2 NEO ", "", 0, 0, 12, GPU, "intel: intel / gen9 / gen9-hd-graphics"},
    {"Intel(R) OpenCL Graphics", "Intel(R) UHD Graphics 770", INTEL_VENDOR, "OpenCL 3.0 NEO ", "",
     0, 0, 32, GPU, "intel: intel / xe-lp / uhd-graphics-770"},
    {"Intel(R) OpenCL HD Graphics", "Intel(R) Graphics [0x56a1]", INTEL_VENDOR, "OpenCL 3.0 NEO ",
     "", 0, 0, 448, GPU, "intel: intel / intel-gpu / graphics-0x56a1"},

    /* Intel's CPU runtime, also on AMD processors */
    {"Intel(R) OpenCL", "13th Gen Intel(R) Core(TM) i5-1340P", INTEL_VENDOR, "OpenCL 3.0 (Build 0)",
     "", 0, 0, 16, CPU, "intel: intel / intel-cpu / core-i5-1340p-16cu"},
    {"Intel(R) OpenCL", "AMD EPYC 7763 64-Core Processor                ", INTEL_VENDOR,
     "OpenCL 3.0 (Build 0)", "", 0, 0, 4, CPU, "intel: amd / amd-cpu / epyc-7763-4cu"},
    {"Intel(R) OpenCL", "AMD Ryzen 5 4600H with Radeon Graphics", INTEL_VENDOR,
     "OpenCL 3.0 (Build 0)", "", 0, 0, 12, CPU, "intel: amd / amd-cpu / ryzen-5-4600h-12cu"},
    {"Intel(R) CPU Runtime for OpenCL(TM) Applications", "Intel(R) Core(TM) i7-8750H CPU @ 2.20GHz",
     INTEL_VENDOR, "OpenCL 2.1 (Build 0)", "", 0, 0, 12, CPU,
     "intel: intel / intel-cpu / core-i7-8750h-12cu"},

    /* Mobile GPUs */
    {"ARM Platform", "Mali-G610 r0p0", "ARM",
     "OpenCL 3.0 v1.g13p0-01eac0.9113fb3d6cbac82527a272992153edf9", "", 0, 0, 4, GPU,
     "arm: arm / valhall / mali-g610"},
    {"ARM Platform", "Mali-G610 MC6 r0p0", "ARM", "OpenCL 3.0 v1.r32p1-01eac0", "", 0, 0, 6, GPU,
     "arm: arm / valhall / mali-g610-mc6"},
    {"ARM Platform", "Mali-T860", "ARM", "OpenCL 1.2 v1.r18p0-01rel0", "", 0, 0, 4, GPU,
     "arm: arm / midgard / mali-t860"},
    {"ARM Platform", "Mali-G71", "ARM", "OpenCL 2.0 v1.r9p0-01rel0", "", 0, 0, 8, GPU,
     "arm: arm / bifrost / mali-g71"},
    {"QUALCOMM Snapdragon(TM)", "QUALCOMM Adreno(TM) 750", "QUALCOMM", "OpenCL 3.0 Adreno(TM) 750",
     "", 0, 0, 6, GPU, "qualcomm: qualcomm / adreno-7xx / adreno-750"},
    {"QUALCOMM Snapdragon(TM)", "QUALCOMM Adreno(TM)", "QUALCOMM", "OpenCL 2.0 Adreno(TM) 505", "",
     0, 0, 1, GPU, "qualcomm: qualcomm / adreno-5xx / adreno-505"},
    {"QUALCOMM Snapdragon(TM)", "Qualcomm(R) Adreno(TM) X1-85 GPU", "QUALCOMM",
     "OpenCL 3.0 QUALCOMM build: 1.0", "", 0, 0, 6, GPU,
     "qualcomm: qualcomm / adreno-x1 / adreno-x1-85"},

    /* Apple */
    {"Apple", "Apple M1 Pro", "Apple", "OpenCL 1.2 ", "", 0, 0, 16, GPU,
     "apple: apple / m1 / m1-pro"},
    {"Apple", "Intel(R) Core(TM) i7-2620M CPU @ 2.70GHz", "Intel", "OpenCL 1.2 ", "", 0, 0, 4, CPU,
     "apple: intel / intel-cpu / core-i7-2620m-4cu"},

    /* FPGAs */
    {"Xilinx", "xilinx_u250_gen3x16_xdma_3_1_202020_1", "Xilinx", "OpenCL 1.0", "", 0, 0, 1, FPGA,
     "xilinx: xilinx / ultrascale-plus / u250"},
    {"Xilinx", "xilinx_u250_xdma_201830_2", "Xilinx", "OpenCL 1.0", "", 0, 0, 1, FPGA,
     "xilinx: xilinx / ultrascale-plus / u250"},
    {"Xilinx", "xilinx_vck5000_gen4x8_qdma_2_202220_1", "Xilinx", "OpenCL 1.0", "", 0, 0, 1, FPGA,
     "xilinx: xilinx / versal / vck5000"},
    {"Intel(R) FPGA SDK for OpenCL(TM)", "pac_a10 : Intel PAC Platform (pac_ec00000)", INTEL_VENDOR,
     "OpenCL 1.0 Intel(R) FPGA SDK for OpenCL(TM), Version 19.4", "", 0, 0, 1, FPGA,
     "intel-fpga: intel / arria-10 / pac-a10"},
    {"Intel(R) FPGA SDK for OpenCL(TM)",
     "de10_nano_sharedonly_hdmi : Cyclone V SoC Development Kit", INTEL_VENDOR, "OpenCL 1.0", "", 0,
     0, 1, FPGA, "intel-fpga: intel / cyclone-v / de10-nano-sharedonly-hdmi"},
    {"Intel(R) FPGA Emulation Platform for OpenCL(TM)", "Intel(R) FPGA Emulation Device",
     INTEL_VENDOR, "OpenCL 1.2 ", "", 0, 0, 4, FPGA,
     "intel-fpga-emulator: intel / emulator / fpga-emulation-device"},

    /* Others */
    {"Oclgrind", "Oclgrind Simulator", "Oclgrind", "OpenCL 1.2 (Oclgrind 21.10)", "", 0, 0, 1, GPU,
     "oclgrind: oclgrind / oclgrind-gpu / simulator"},
    {"Some New Platform", "Frobnicator 9000", "ACME Ltd", "OpenCL 3.0", "", 0, 0, 3, GPU,
     "some-new-platform: acme / acme-gpu / frobnicator-9000"},
    {"", "", "", "", "", 0, 0, 0, SQA_DEVICE_OTHER,
     "unknown: unknown / unknown-other / unknown-other"},
};
enum { RECORDING_COUNT = sizeof recordings / sizeof recordings[0] };

#define SET(field, value) snprintf(strings.field, sizeof strings.field, "%s", value)

static sqa_device_strings strings_of(const recording *from)
{
    sqa_device_strings strings;
    memset(&strings, 0, sizeof strings);
    SET(platform_name, from->platform);
    SET(device_name, from->name);
    SET(device_vendor, from->vendor);
    SET(device_version, from->version);
    SET(board_name, from->board);
    strings.nv_major = from->nv_major;
    strings.nv_minor = from->nv_minor;
    strings.compute_units = from->compute_units;
    strings.type = from->type;
    return strings;
}

START_TEST(recorded_device)
{
    const recording *from = &recordings[_i];
    sqa_device_strings strings = strings_of(from);
    sqa_device_identity identity;
    memset(&identity, 0x5a, sizeof identity);
    sqa_device_identify(&strings, &identity);
    char text[512];
    snprintf(text, sizeof text, "%s: %s / %s / %s", identity.runtime, identity.vendor,
             identity.architecture, identity.model);
    ck_assert_str_eq(text, from->expected);
}
END_TEST

/* The driver's version belongs to the environment, never to the identity. */
START_TEST(driver_version_is_ignored)
{
    sqa_device_strings strings = strings_of(&recordings[_i]);
    sqa_device_identity first, second;
    SET(driver_version, "1.0");
    sqa_device_identify(&strings, &first);
    SET(driver_version, "535.129.03 LLVM 17 DRM 3.54");
    SET(platform_version, "OpenCL 3.0 anything");
    sqa_device_identify(&strings, &second);
    ck_assert_mem_eq(&first, &second, sizeof first);
}
END_TEST

static bool is_terminated(const char *text, size_t size)
{
    return memchr(text, 0, size) != NULL;
}

/* Whatever bytes a runtime returns, the result is short lower-case ASCII text. */
START_TEST(any_bytes)
{
    srand(7);
    for (int round = 0; round < 20000; round++) {
        sqa_device_strings strings = strings_of(&recordings[rand() % RECORDING_COUNT]);
        bool full = round % 16 == 0;
        for (int i = 0; i < (full ? 4000 : 4); i++) {
            char *field = rand() % 2 ? strings.device_name : strings.device_version;
            field[rand() % 127] = (char)(full ? "a-(: hstr_[@"[rand() % 12] : rand() % 256);
        }
        strings.type = (sqa_device_type)(rand() % 4);
        sqa_device_identity identity;
        sqa_device_identify(&strings, &identity);
        ck_assert(is_terminated(identity.vendor, sizeof identity.vendor));
        ck_assert(is_terminated(identity.architecture, sizeof identity.architecture));
        ck_assert(is_terminated(identity.model, sizeof identity.model));
        ck_assert(is_terminated(identity.runtime, sizeof identity.runtime));
        ck_assert_str_ne(identity.model, "");
        ck_assert_str_ne(identity.architecture, "");
        for (const char *at = identity.model; *at; at++)
            ck_assert_msg(*at > ' ' && *at < 0x7f && !(*at >= 'A' && *at <= 'Z'), "%s",
                          identity.model);
    }
}
END_TEST

START_TEST(type_names)
{
    ck_assert_str_eq(sqa_device_type_name(SQA_DEVICE_CPU), "cpu");
    ck_assert_str_eq(sqa_device_type_name(SQA_DEVICE_ACCELERATOR), "accelerator");
    ck_assert_str_eq(sqa_device_type_name((sqa_device_type)99), "other");
}
END_TEST

/* Figures of GPUs go by what their identity says; an unknown one of a vendor has the cautious
 * ones of all. */
START_TEST(figures_of_a_gpu)
{
    static const struct {
        const char *vendor, *architecture, *runtime;
        uint32_t item_registers, large_item_registers, wavefront_width;
    } expected[] = {
        {"nvidia", "sm_80", "nvidia", 160, 0, 32}, {"nvidia", "sm_120", "nvidia", 160, 0, 32},
        {"nvidia", "sm_90", "nvidia", 176, 0, 32}, {"amd", "gfx90a", "amd", 160, 0, 64},
        {"amd", "gfx906", "amd", 160, 0, 64},      {"amd", "gfx942", "amd", 160, 0, 64},
        {"amd", "gfx1100", "amd", 107, 0, 32},     {"intel", "xe-hpg", "intel", 50, 107, 0},
        {"intel", "xe-hpc", "intel", 50, 107, 0},  {"intel", "xe-hpg", "rusticl", 50, 0, 0},
        {"intel", "xe-lp", "intel", 50, 0, 0},     {"arm", "valhall", "arm", 160, 0, 0},
    };
    static const struct {
        const char *architecture;
        uint64_t kib;
    } units[] = {{"sm_75", 64}, {"sm_80", 164}, {"sm_89", 100}, {"sm_90", 228}, {"sm_120", 100}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        sqa_device device = {.strings = {.type = SQA_DEVICE_GPU}, .identity = {.vendor = "nvidia"}};
        strcpy(device.identity.architecture, units[i].architecture);
        ck_assert_uint_eq(sqa_architecture_find(&device)->unit_local_memory_bytes,
                          units[i].kib * 1024);
    }
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        sqa_device device = {.strings = {.type = SQA_DEVICE_GPU}};
        strcpy(device.identity.vendor, expected[i].vendor);
        strcpy(device.identity.architecture, expected[i].architecture);
        strcpy(device.identity.runtime, expected[i].runtime);
        const sqa_architecture *found = sqa_architecture_find(&device);
        ck_assert_uint_eq(found->item_registers, expected[i].item_registers);
        ck_assert_uint_eq(found->large_item_registers, expected[i].large_item_registers);
        ck_assert_int_eq(found->large_file != NULL, found->large_item_registers != 0);
        ck_assert_uint_eq(found->wavefront_width, expected[i].wavefront_width);
        ck_assert_int_eq(found->native_exp2, !strcmp(expected[i].vendor, "nvidia"));
        ck_assert_int_eq(found->no_predicates, !strcmp(expected[i].vendor, "amd"));
        ck_assert_int_eq(found->edges_apart, !strcmp(expected[i].vendor, "nvidia"));
        ck_assert_int_eq(found->paired_floats, !strcmp(expected[i].architecture, "gfx90a") ||
                                                   !strcmp(expected[i].architecture, "gfx942"));
    }
}
END_TEST

/* Every device has figures: those of the longest vectors it has, those of work-groups
 * otherwise. */
START_TEST(figures_of_a_device)
{
    static const struct {
        sqa_device_type type;
        uint32_t native_floats;
        int32_t vector_lanes, group_items;
    } expected[] = {
        {SQA_DEVICE_CPU, 32, 16, 1},   {SQA_DEVICE_CPU, 16, 16, 1},
        {SQA_DEVICE_CPU, 8, 8, 1},     {SQA_DEVICE_CPU, 4, 8, 1},
        {SQA_DEVICE_CPU, 1, 8, 1},     {SQA_DEVICE_GPU, 1, 0, 128},
        {SQA_DEVICE_GPU, 16, 0, 128},  {SQA_DEVICE_ACCELERATOR, 1, 0, 128},
        {SQA_DEVICE_OTHER, 0, 0, 128},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const sqa_device device = {.strings = {.type = expected[i].type},
                                   .limits = {.vector_width_float = expected[i].native_floats}};
        const sqa_architecture *found = sqa_architecture_find(&device);
        ck_assert_int_eq(found->vector_lanes, expected[i].vector_lanes);
        ck_assert_int_eq(found->group_items, expected[i].group_items);
        ck_assert_uint_lt(found->least_items, found->most_items);
        for (int t = 0; t < SQA_REGISTER_TILES && found->vector_lanes; t++)
            ck_assert_int_le(found->register_tiles[t].vectors *
                                 found->register_tiles[t].broadcasts *
                                 (found->register_tiles[t].lanes > found->vector_lanes ? 2 : 1),
                             found->accumulators);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("identity");
    TCase *tests = tcase_create("recordings");
    tcase_add_loop_test(tests, recorded_device, 0, RECORDING_COUNT);
    tcase_add_loop_test(tests, driver_version_is_ignored, 0, RECORDING_COUNT);
    tcase_add_test(tests, any_bytes);
    tcase_add_test(tests, type_names);
    tcase_add_test(tests, figures_of_a_device);
    tcase_add_test(tests, figures_of_a_gpu);
    suite_add_tcase(suite, tests);
    return sqa_run_suite(suite);
}
