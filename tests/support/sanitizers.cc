// Settings that the sanitizers read when a test program starts; in other builds nobody calls these functions.
// llama.cpp's libraries and the OpenMP runtime are built without sanitizers, which both settings allow for.

// NOLINTBEGIN(bugprone-reserved-identifier): the sanitizers choose the names.
extern "C" {

const char* __asan_default_options();
const char* __ubsan_default_options();
const char* __tsan_default_options();
const char* __tsan_default_suppressions();

// A container that crosses over to uninstrumented code loses the marks at its end.
const char* __asan_default_options() { return "detect_container_overflow=0:strict_string_checks=1"; }

const char* __ubsan_default_options() { return "print_stacktrace=1"; }

const char* __tsan_default_options() { return "second_deadlock_stack=1"; }

// Uninstrumented barriers are invisible, so the memory they guard looks unguarded.
const char* __tsan_default_suppressions() {
  return "race:^ggml_\n"
         "race:^gguf_\n"
         "race:^llama_\n"
         "race:libgomp.so\n"
         "mutex:libgomp.so\n"
         "called_from_lib:libgomp.so\n"
         "called_from_lib:libopenblas.so\n";
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
