/* What marks a tuning database, for those who read it and those who write it.
 * The tables themselves are in db/schema.sql. */
#ifndef SQA_TUNING_SCHEMA_H
#define SQA_TUNING_SCHEMA_H

#define SQA_SCHEMA_VERSION 5                 /* PRAGMA user_version */
#define SQA_SCHEMA_OLDEST_READ 1             /* has all that the library itself reads */
#define SQA_SCHEMA_LAST_OF_ATTENTION 2       /* had columns of attention for the class */
#define SQA_SCHEMA_LAST_MEASURED 3           /* knew no rows that a model made */
#define SQA_SCHEMA_LAST_UNPROBED 4           /* had no answers of probes */
#define SQA_SCHEMA_APPLICATION_ID 0x53514144 /* PRAGMA application_id, "SQAD" */

#endif
