/* Asks a model about a text file of any length, in C. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ltri/ltri.h"

static int Fail(const char* what) {
  fprintf(stderr, "ask_c: %s\n", what);
  return 1;
}

static char* ReadAll(const char* path, size_t* bytes) {
  FILE* file = fopen(path, "rb");
  if (file == NULL) return NULL;
  fseek(file, 0, SEEK_END);
  const long size = ftell(file);
  rewind(file);
  char* text = size < 0 ? NULL : malloc((size_t)size + 1);
  *bytes = text == NULL ? 0 : fread(text, 1, (size_t)size, file);
  fclose(file);
  return text;
}

static bool Show(const char* piece, size_t bytes, void* user) { return fwrite(piece, 1, bytes, user) == bytes; }

int main(int argc, char** argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: ask_c MODEL TEXT-FILE QUESTION\n");
    return 2;
  }
  size_t bytes = 0;
  char* text = ReadAll(argv[2], &bytes);
  if (text == NULL) return Fail("cannot read the text");

  ltri_model* model = ltri_model_load(argv[1], 0);
  if (model == NULL) return Fail(ltri_error());
  char* prompt = ltri_model_format_question(model, text, bytes, argv[3]);
  ltri_session* session = ltri_session_create(model, NULL);
  if (prompt == NULL || session == NULL) return Fail(ltri_error());

  if (ltri_session_append(session, prompt, strlen(prompt), true, NULL, NULL) != LTRI_OK) return Fail(ltri_error());
  if (ltri_session_generate(session, NULL, Show, stdout) != LTRI_OK) return Fail(ltri_error());
  printf("\n");

  ltri_session_free(session);
  ltri_text_free(prompt);
  ltri_model_free(model);
  free(text);
  return 0;
}
