/* A context: one OpenCL device, its limits, what the tuning databases know of
 * it, and the programs and plans built so far. */
#ifndef SQA_CL_CONTEXT_H
#define SQA_CL_CONTEXT_H

#include <stdint.h>

#include "export.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sqa_context sqa_context;

typedef enum sqa_log_level {
    SQA_LOG_ERROR = 0,
    SQA_LOG_WARNING = 1, /* something was lost or replaced: a database, a kernel */
    SQA_LOG_INFO = 2,    /* which configuration was chosen, and why */
    SQA_LOG_DEBUG = 3    /* builds, cache hits */
} sqa_log_level;

/* Receives one line without a newline. May be called from any thread that uses
 * the context, also from several at once; must not call the library. */
typedef void (*sqa_log_callback)(void *user, sqa_log_level level, const char *message);

/* How a context is made. Start from SQA_CONTEXT_OPTIONS_INIT; 0 or NULL in a
 * member means the default named beside it. Strings are copied. */
typedef struct sqa_context_options {
    uint32_t version;          /* SQA_CONTEXT_OPTIONS_VERSION */
    const char *user_database; /* NULL: $SQA_CL_DB, else $XDG_DATA_HOME/sqa_cl/tuning.db,
                                  else $HOME/.local/share/sqa_cl/tuning.db; "": none */
    uint32_t skip_seed;        /* 1: leave the database built into the library aside */
    sqa_log_callback log;      /* NULL: no messages */
    void *log_user;            /* handed to log unchanged */
    sqa_log_level log_level;   /* messages above this level are not made */
    const char *binary_cache;  /* the folder compiled programs are kept in; NULL: $SQA_CL_CACHE
                                  ("off" or empty: none), else $XDG_CACHE_HOME/sqa_cl, else
                                  $HOME/.cache/sqa_cl; "": none */
    const char *prebuilt;      /* a folder of pre-built programs that `sqa capture` began;
                                  NULL: $SQA_CL_PREBUILT, else none; "": none */
    /* Since version 2. */
    const char *const *extra_databases; /* tuning databases that a program ships, say: their paths
                                           up to a NULL. NULL: those of $SQA_CL_EXTRA_DBS, with ':'
                                           between them; none in it: none */
} sqa_context_options;

#define SQA_CONTEXT_OPTIONS_VERSION 2u
#define SQA_CONTEXT_OPTIONS_INIT                                                                   \
    {                                                                                              \
        SQA_CONTEXT_OPTIONS_VERSION, 0, 0u, 0, 0, SQA_LOG_WARNING, 0, 0, 0                         \
    }

/* Makes a context on the caller's OpenCL context, which is retained until
 * sqa_context_destroy(), and one device of it, which must live as long. options may be NULL. A
 * tuning database that is missing, damaged, locked or too new never fails this call: it is left
 * aside with a warning through the log.
 *
 * Of the databases the user's own is asked first, then each extra one in turn, then the one built
 * into the library. All are only read, once, now. `sqa tune --db FILE` makes one to ship.
 *
 * Programs that had to be compiled are kept in the binary cache, when a plan that
 * used them is warmed up or released; later processes load them in milliseconds.
 * The cache holds 256 MiB at most, and never fails a call either.
 *
 * Programs of the folder `prebuilt` are used instead of compiling them, and are all that
 * a device without an OpenCL compiler runs: binaries of a vendor's tool, for the keys in
 * the folder's manifest. The folder must be as trustworthy as the program itself. What
 * is damaged in it is left aside with a warning.
 * Errors: SQA_INVALID_ARGUMENT, SQA_OUT_OF_MEMORY, SQA_OPENCL_ERROR. */
SQA_API sqa_status sqa_context_create(sqa_context **out, cl_context context, cl_device_id device,
                                      const sqa_context_options *options);

/* Opens device number `device` of platform number `platform`, counted as
 * `sqa info` prints them, with an OpenCL context of its own.
 * Errors: SQA_NO_DEVICE besides those of sqa_context_create(). */
SQA_API sqa_status sqa_context_open(sqa_context **out, unsigned platform, unsigned device,
                                    const sqa_context_options *options);

/* Releases the context. Plans made from it must be destroyed first. NULL is
 * allowed. Does not wait for work that is still enqueued. */
SQA_API void sqa_context_destroy(sqa_context *context);

/* The OpenCL handles behind the context, still owned by it (retain them to keep
 * them longer). NULL in, NULL out. */
SQA_API cl_context sqa_context_cl(const sqa_context *context);
SQA_API cl_device_id sqa_context_cl_device(const sqa_context *context);

#ifdef __cplusplus
}
#endif

#endif
