/* The kernel family: the one idea the library turns on.
 *
 * A family is a table entry that says what it can compute (supports), which
 * parameters it has and which combinations run (is_valid), what to use untuned
 * (default_config), the OpenCL C of a configuration (source) and how to enqueue
 * it (launch). The tuner enumerates families, the database stores their
 * configurations, the dispatcher builds and launches them; none of the three
 * knows any family by name.
 *
 * Steps of a launch may be calls into another library (launch.h). Its kernels have no source
 * here, are not captured, and are checked anew wherever a borrowed result brings them. */
#ifndef SQA_KERNELS_KERNEL_FAMILY_H
#define SQA_KERNELS_KERNEL_FAMILY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"
#include "device/device.h"
#include "kernels/config.h"
#include "kernels/launch.h"
#include "problem/problem.h"

typedef struct sqa_build_needs {
    const char *standard; /* of OpenCL C, such as "CL3.0"; NULL: the usual one */
    const char *option;   /* such as a larger register file; "" or NULL for none */
} sqa_build_needs;

typedef struct sqa_kernel_family {
    const char *name;
    const char *summary; /* one line for people */
    const char *library; /* with its version, what its launches call; NULL: nothing */
    sqa_operation operation;
    uint32_t
        space_version; /* raised when parameters change meaning: older results no longer apply */
    const sqa_parameter *parameters;
    size_t parameter_count;
    const char *const *fragments; /* of cl/, all that its programs are made of, in order; NULL
                                     ends the list */

    /* Whether the family can compute `problem` on `device` at all; if not, *why
     * gets a phrase ("needs a CPU device"). */
    bool (*supports)(const sqa_problem *problem, const sqa_device *device, const char **why);

    /* Whether this combination of allowed values can run. Same *why. Everything
     * that enumerates, imports or dispatches a configuration asks here. */
    bool (*is_valid)(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                     const char **why);

    /* A sound configuration without any measurement; valid unless the problem and the
     * device leave the family none. */
    void (*default_config)(const sqa_problem *problem, const sqa_device *device,
                           sqa_config *config);

    /* Appends the OpenCL C of the configuration that comes below the #define lines of its
     * parameters; all else goes through sqa_family_source() (source.h). It may depend on
     * the problem's operation, dtypes, dimensions, mask and score bits and write_lse only,
     * so that lengths, heads, strides, windows and scale share one program. Nothing, where
     * a library does it all. */
    void (*source)(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_text *out);

    /* Fills the steps to enqueue for this problem. Never called for an empty output. */
    void (*launch)(const sqa_config *config, const sqa_problem *problem, const sqa_device *device,
                   sqa_launch *out);

    /* Shapes by which a probe finds out, in a process of its own, whether the device's compiler
     * does right by instructions that OpenCL C does not have; NULL ends them. Until it did there,
     * only a caller or a measurement of the same environment chooses the family. NULL: it needs
     * no probe. */
    const char *const *probes;

    /* What the configuration needs of the compiler there beyond what every kernel does. NULL:
     * never anything. */
    sqa_build_needs (*needs)(const sqa_config *config, const sqa_problem *problem,
                             const sqa_device *device);
} sqa_kernel_family;

/* Build options of every kernel. No fast-relaxed-math and no finite-math-only:
 * they break infinities and the exponential's range reduction. -w: a kernel is
 * tested, and its compiler's warnings would land on the user's terminal. */
extern const char sqa_build_options[];

/* For a quarter of the compile time, in tests of what a kernel computes: what goes behind. */
extern const char sqa_option_unoptimised[];

enum { SQA_OPTIONS_TEXT = 160 };

/* The build options of a configuration's program. */
void sqa_family_options(const sqa_kernel_family *family, const sqa_config *config,
                        const sqa_problem *problem, const sqa_device *device,
                        char out[SQA_OPTIONS_TEXT]);

/* For the members `supports` and `is_valid` of families that take anything anywhere, and
 * `default_config` of those without parameters. */
bool sqa_family_supports_all(const sqa_problem *problem, const sqa_device *device,
                             const char **why);
bool sqa_family_runs_all(const sqa_config *config, const sqa_problem *problem,
                         const sqa_device *device, const char **why);
void sqa_family_no_parameters(const sqa_problem *problem, const sqa_device *device,
                              sqa_config *config);

/* The same operation, supports, every value allowed by its parameter, is_valid: in
 * that order. `why` may be NULL. */
bool sqa_family_accepts(const sqa_kernel_family *family, const sqa_config *config,
                        const sqa_problem *problem, const sqa_device *device, const char **why);

#endif
