/* Text files built into the library (kernel sources, the database schema). */
#ifndef SQA_BASE_EMBEDDED_H
#define SQA_BASE_EMBEDDED_H

typedef struct sqa_embedded_file {
    const char *name; /* path below its folder, such as "forward/naive.cl"; NULL ends the table */
    const char *text; /* zero-terminated */
} sqa_embedded_file;

extern const sqa_embedded_file sqa_embedded_kernels[]; /* cl/ */
extern const sqa_embedded_file sqa_embedded_sql[];     /* db/ */

/* The text of a file; NULL when the table has no such name. */
const char *sqa_embedded_text(const sqa_embedded_file *table, const char *name);

#endif
