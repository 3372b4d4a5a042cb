/* ltri for C, and for languages that call C: models and sessions. The C++ headers say what each call means; here stands
 * only what differs.
 *
 * A call that fails returns NULL or a value other than LTRI_OK, and ltri_error() says why. Texts are UTF-8 with their
 * length in bytes. Objects may be used from any thread, a session from one at a time.
 */
#ifndef LTRI_LTRI_H_
#define LTRI_LTRI_H_

/* NOLINTBEGIN: this is C */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ltri/export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ltri_model ltri_model;
typedef struct ltri_session ltri_session;

/* ltri::ErrorCode, and success. */
typedef enum ltri_status {
  LTRI_OK = 0,
  LTRI_INVALID_ARGUMENT,
  LTRI_NOT_FOUND,
  LTRI_CORRUPT,
  LTRI_UNSUPPORTED,
  LTRI_OUT_OF_MEMORY,
  LTRI_IO,
  LTRI_CANCELLED,
} ltri_status;

/* What went wrong in this thread's last failed call, in one line; valid until the next one fails. Never NULL. */
LTRI_API const char* ltri_error(void);
LTRI_API ltri_status ltri_error_status(void);

/* ---- Models (ltri/model.h) ---- */

/* threads: 0: one a core. */
LTRI_API ltri_model* ltri_model_load(const char* name_or_path, int32_t threads);
/* Sessions keep their model alive. NULL is allowed. */
LTRI_API void ltri_model_free(ltri_model* model);
LTRI_API int64_t ltri_model_trained_context(const ltri_model* model); /* tokens */

/* A question about a text as the model's chat template puts it, to be appended to an empty session. Free it with
 * ltri_text_free. Error LTRI_UNSUPPORTED: the model has no chat template. */
LTRI_API char* ltri_model_format_question(const ltri_model* model, const char* text, size_t bytes,
                                          const char* question);
LTRI_API void ltri_text_free(char* text);

/* ---- Sessions (ltri/session.h) ---- */

/* ltri::SessionOptions that a caller is likely to set. */
typedef struct ltri_options {
  const char* method; /* "ltri", "infllm", "streaming" or "dense" */
  int64_t sinks;      /* tokens, like the next three */
  int64_t window;
  int64_t budget;
  int64_t block;
  int64_t memory; /* bytes of RAM for keys, values and index; 0: no limit */
} ltri_options;
LTRI_API ltri_options ltri_default_options(void);

/* options: NULL: the defaults. */
LTRI_API ltri_session* ltri_session_create(ltri_model* model, const ltri_options* options);
LTRI_API ltri_session* ltri_session_fork(const ltri_session* session);
LTRI_API void ltri_session_free(ltri_session* session);

/* Called while a text is read. Return false to stop with LTRI_CANCELLED. */
typedef bool (*ltri_progress_callback)(int64_t tokens_done, int64_t tokens, void* user);
/* Called for each piece of an answer. Return false to stop. */
typedef bool (*ltri_text_callback)(const char* piece, size_t bytes, void* user);

/* control: "<|im_start|>" and its like are control tokens, as in what ltri_model_format_question gives. progress may be
 * NULL. */
LTRI_API ltri_status ltri_session_append(ltri_session* session, const char* text, size_t bytes, bool control,
                                         ltri_progress_callback progress, void* user);

typedef struct ltri_generate_options {
  int64_t max_tokens;
  float temperature; /* 0: greedy */
  float top_p;
  int32_t top_k;
  uint32_t seed;
} ltri_generate_options;
LTRI_API ltri_generate_options ltri_default_generate_options(void);

/* options: NULL: the defaults. */
LTRI_API ltri_status ltri_session_generate(ltri_session* session, const ltri_generate_options* options,
                                           ltri_text_callback callback, void* user);

LTRI_API ltri_status ltri_session_truncate(ltri_session* session, int64_t tokens);
LTRI_API int64_t ltri_session_tokens(const ltri_session* session); /* length of the text */
LTRI_API int64_t ltri_session_memory(const ltri_session* session); /* bytes in RAM */

#ifdef __cplusplus
}
#endif

/* NOLINTEND */

#endif /* LTRI_LTRI_H_ */
