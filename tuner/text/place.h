/* Where an output's name leads: to a regular file, there already or not, which is
 * replaced; or to a device or a pipe, which is written to. Knows nothing of options. */
#ifndef SQA_TUNER_TEXT_PLACE_H
#define SQA_TUNER_TEXT_PLACE_H

#include <stdbool.h>
#include <sys/stat.h>

typedef struct sqa_place {
    char path[4096]; /* of the regular file, past all links; "": what the name leads to is
                        written to */
    bool exists;     /* and `file` says what it is */
    struct stat file;
} sqa_place;

/* Each gives 0 or an errno. */

/* Finds what `name` leads to. */
int sqa_place_find(sqa_place *out, const char *name);

/* Whether it can be replaced or written to, as far as can be told without doing so. */
int sqa_place_check(const sqa_place *place, const char *name);

/* The folder that a path's last name is in. */
int sqa_place_folder(const char *path, char out[4096]);

/* Whether writing the one would do something to the other. Never so for terminals and
 * for /dev/null. */
bool sqa_place_is_same(const sqa_place *a, const sqa_place *b);

/* This process's standard output. */
sqa_place sqa_place_of_stdout(void);

#endif
