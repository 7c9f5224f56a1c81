#include "tuning/tuning_table.h"
sqa_status sqa_tuning_table_load_file(sqa_tuning_table *table, const char *path, const sqa_log *log) { (void)table, (void)path, (void)log; return SQA_OK; }
sqa_status sqa_tuning_table_load_seed(sqa_tuning_table *table, const sqa_log *log) { (void)table, (void)log; return SQA_OK; }
void sqa_tuning_table_free(sqa_tuning_table *table) { (void)table; }
bool sqa_user_database_path(char *out, size_t size) { (void)out, (void)size; return false; }
