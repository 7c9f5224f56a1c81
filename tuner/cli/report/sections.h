/* The sections of a report, in the order of the page. */
#ifndef SQA_TUNER_REPORT_SECTIONS_H
#define SQA_TUNER_REPORT_SECTIONS_H

#include <stdio.h>

#include "cli/report/data.h"

/* All that is known of one device and driver; `gnuplot` NULL: without pictures. */
sqa_status sqa_report_write_part(FILE *file, const char *gnuplot, const sqa_report_data *data,
                                 const sqa_report_part *part);

#endif
