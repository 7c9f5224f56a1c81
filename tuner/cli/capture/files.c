/* See files.h. Sources get names that no file had; the manifest and what is added may
 * have been there. */
#include "cli/capture/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "cli/database_state.h"
#include "cli/shipped_profiles.h"
#include "device/binary_folder.h"
#include "device/prebuilt.h"

enum { PATH = 4096 };

/* All of them, with room for the paths that are made here. */
typedef struct files {
    sqa_command_file *items;
    size_t count;
    char (*paths)[PATH];
    size_t path_count;
} files;

static void add_input(files *self, const char *option, const char *path)
{
    self->items[self->count++] = (sqa_command_file){option, path, SQA_FILE_READ};
}

static void add_output(files *self, const char *folder, const char *name, int length,
                       const char *suffix)
{
    char *path = self->paths[self->path_count++];
    snprintf(path, PATH, "%s/%.*s%s", folder, length, name, suffix);
    self->items[self->count++] = (sqa_command_file){"--out", path, SQA_FILE_WRITTEN};
}

/* A word that is not KEY=FILE is refused later. */
static void add_pair(files *self, const char *folder, const char *word)
{
    const char *file = strchr(word, '=');
    if (!file)
        return;
    add_input(self, "--add", file + 1);
    add_output(self, folder, word, (int)(file - word), SQA_BINARY_SUFFIX);
}

sqa_status sqa_capture_check_files(const char *folder, const sqa_tune_words *words,
                                   const char *profile, const sqa_option_list *add)
{
    char database[PATH];
    files self = {
        .items = calloc(3 + words->shape_files.count + 2 * add->count, sizeof *self.items),
        .paths = calloc(1 + add->count, sizeof *self.paths),
    };
    sqa_status status = SQA_OK;
    if (!self.items || !self.paths)
        status = sqa_fail_memory("the names of files");
    if (status == SQA_OK) {
        self.items[self.count++] = sqa_database_file(words->database, database);
        if (!profile || !sqa_shipped_profile(profile))
            add_input(&self, "--device-profile", profile);
        add_output(&self, folder, SQA_PREBUILT_MANIFEST, -1, "");
        for (size_t i = 0; i < words->shape_files.count; i++)
            add_input(&self, "--shapes", words->shape_files.items[i]);
        for (size_t i = 0; i < add->count; i++)
            add_pair(&self, folder, add->items[i]);
        status = sqa_database_files_check(self.items, self.count);
    }
    free(self.items);
    free(self.paths);
    return status;
}
