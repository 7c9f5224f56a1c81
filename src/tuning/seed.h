/* The database built into the library: the file image that sqa_build_seed made
 * from db/seed at build time. Size 0: no rows are shipped. */
#ifndef SQA_TUNING_SEED_H
#define SQA_TUNING_SEED_H

#include <stddef.h>

extern const unsigned char sqa_seed_database[];
extern const size_t sqa_seed_database_size;

#endif
