/* The device profiles that ship (db/profiles/), by the name of their file without its end. */
#ifndef SQA_TUNER_SHIPPED_PROFILES_H
#define SQA_TUNER_SHIPPED_PROFILES_H

#include <stddef.h>

#include "base/embedded.h"
#include "base/text.h"

extern const sqa_embedded_file sqa_embedded_profiles[]; /* db/profiles/ */

/* The text of the profile; NULL where no shipped one has the name. */
const char *sqa_shipped_profile(const char *name);

/* The name of number `index` and its length; NULL from the last one on. No zero ends it. */
const char *sqa_shipped_profile_name(size_t index, size_t *length);

/* Appends all names, with commas between them. */
void sqa_shipped_profiles_list(sqa_text *out);

#endif
