# What a person may choose, and the warning flags that every target of ours gets.
option(LTRI_TESTS "Build the tests" ON)
option(LTRI_BENCH "Build the benchmarks" ON)
option(LTRI_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
option(LTRI_CUDA "Build the CUDA backend (needs nvcc 12.8 or newer)" OFF)
set(LTRI_SANITIZE "" CACHE STRING "Sanitizers for our own code: address,undefined or thread")

option(LTRI_WERROR "Treat warnings as errors" ON)

find_program(LTRI_CCACHE ccache)
if(LTRI_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${LTRI_CCACHE}")
endif()

add_library(ltri_flags INTERFACE)
target_compile_options(ltri_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  $<$<BOOL:${LTRI_WERROR}>:-Werror>
  # g++ 12 sees these in inlined code of fmt and std::string where they are not.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow;-Wno-restrict>
  # Sums may be reordered and fused by our kernels on purpose; NaN and infinity keep their meaning.
  -fno-math-errno -fno-trapping-math)
if(LTRI_SANITIZE)
  target_compile_options(ltri_flags INTERFACE -fsanitize=${LTRI_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(ltri_flags INTERFACE -fsanitize=${LTRI_SANITIZE})
  # What g++ only believes to see in instrumented code, and fences that ThreadSanitizer does not follow.
  target_compile_options(ltri_flags INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-array-bounds;-Wno-tsan>)
endif()
if(LTRI_FUZZ)
  target_compile_options(ltri_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
