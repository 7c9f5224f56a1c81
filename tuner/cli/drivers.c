#include "cli/drivers.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char vendors[] = "/etc/OpenCL/vendors";
static const char suffix[] = ".icd";

static sqa_status add_fault(sqa_drivers *out, const char *file, const char *library,
                            const char *why)
{
    sqa_driver_fault *grown = realloc(out->faults, (out->fault_count + 1) * sizeof *grown);
    if (!grown)
        return sqa_fail_memory("the list of drivers");
    out->faults = grown;
    grown += out->fault_count++;
    *grown = (sqa_driver_fault){strdup(file), strdup(library), strdup(why)};
    return grown->file && grown->library && grown->why ? SQA_OK
                                                       : sqa_fail_memory("the list of drivers");
}

/* It stays loaded: a driver may not be made for being taken out again. */
static sqa_status try_library(sqa_drivers *out, const char *file, const char *library)
{
    void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (!handle)
        return add_fault(out, file, library, dlerror());
    return dlsym(handle, "clGetExtensionFunctionAddress")
               ? SQA_OK
               : add_fault(out, file, library, "no OpenCL driver");
}

/* Its first line. */
static sqa_status try_file(sqa_drivers *out, const char *path)
{
    char line[4096] = "";
    out->count++;
    FILE *file = fopen(path, "r");
    if (!file)
        return add_fault(out, path, "", strerror(errno));
    if (!fgets(line, sizeof line, file))
        line[0] = '\0';
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    return line[0] ? try_library(out, path, line) : add_fault(out, path, "", "names no library");
}

static bool is_icd(const char *name)
{
    const size_t length = strlen(name), end = sizeof suffix - 1;
    return length > end && !strcmp(name + length - end, suffix);
}

static sqa_status try_folder(sqa_drivers *out)
{
    struct dirent **names = NULL;
    const int count = scandir(out->place, &names, NULL, alphasort);
    sqa_status status = SQA_OK;
    for (int i = 0; i < count; i++) {
        char path[sizeof out->place + sizeof names[i]->d_name];
        snprintf(path, sizeof path, "%s/%s", out->place, names[i]->d_name);
        if (status == SQA_OK && is_icd(names[i]->d_name))
            status = try_file(out, path);
        free(names[i]);
    }
    free(names);
    return status;
}

/* A folder, one .icd file, or the library itself. */
sqa_status sqa_drivers_try(sqa_drivers *out)
{
    static const char *const variables[] = {"OPENCL_VENDOR_PATH", "OCL_ICD_VENDORS"};
    const char *place = vendors;
    struct stat info;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *given = getenv(variables[i]);
        if (given && *given)
            place = given;
    }
    snprintf(out->place, sizeof out->place, "%s", place);
    if (!stat(place, &info) && S_ISDIR(info.st_mode))
        return try_folder(out);
    if (is_icd(place))
        return try_file(out, place);
    if (!strcmp(place, vendors))
        return SQA_OK; /* no driver was ever installed */
    out->count++;
    return try_library(out, place, place);
}

void sqa_drivers_free(sqa_drivers *drivers)
{
    for (size_t i = 0; i < drivers->fault_count; i++) {
        free(drivers->faults[i].file);
        free(drivers->faults[i].library);
        free(drivers->faults[i].why);
    }
    free(drivers->faults);
    drivers->faults = NULL;
    drivers->fault_count = drivers->count = 0;
}
