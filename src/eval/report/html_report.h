// index.html: the report as one page that opens from disk: tables, heat maps, recall by layer, settings.
#ifndef LTRI_EVAL_REPORT_HTML_REPORT_H_
#define LTRI_EVAL_REPORT_HTML_REPORT_H_

#include <string>

#include "eval/report/results_json.h"

namespace ltri {

std::string HtmlReport(const EvalReport& report);

}  // namespace ltri

#endif  // LTRI_EVAL_REPORT_HTML_REPORT_H_
