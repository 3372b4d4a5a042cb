# llama.cpp: quantised types (ggml), tokenizers and samplers (libllama), chat templates (llama-common).
#
# The pinned source is the vendored folder of one PyPI source distribution. It is looked for in this order:
#   1. LTRI_LLAMA_CPP_DIR, a folder the user names;
#   2. the user's cache, by hash, shared by every build tree;
#   3. the download, into that cache.
# It is built once per compiler, always optimised, and every preset links the same static libraries.
# Result: the target ltri_llama_cpp with headers and libraries.

set(LTRI_LLAMA_CPP_PACKAGE "llama-cpp-python==0.3.36")
set(LTRI_LLAMA_CPP_SHA256 "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e")
set(LTRI_LLAMA_CPP_DIR "" CACHE PATH "llama.cpp source folder to use instead of the pinned download")

if(DEFINED ENV{LTRI_CACHE_DIR})
  set(_cache "$ENV{LTRI_CACHE_DIR}")
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(_cache "$ENV{XDG_CACHE_HOME}/ltri")
else()
  set(_cache "$ENV{HOME}/.cache/ltri")
endif()

if(LTRI_LLAMA_CPP_DIR)
  set(_source "${LTRI_LLAMA_CPP_DIR}")
  string(SHA256 _source_key "${_source}")
else()
  set(_source_key "${LTRI_LLAMA_CPP_SHA256}")
  string(SUBSTRING "${_source_key}" 0 12 _short)
  set(_source "${_cache}/llama.cpp-${_short}/source")
  if(NOT EXISTS "${_source}/CMakeLists.txt")
    set(_download "${_cache}/llama.cpp-${_short}/download")
    file(MAKE_DIRECTORY "${_download}")
    file(WRITE "${_download}/requirements.txt" "${LTRI_LLAMA_CPP_PACKAGE} --hash=sha256:${LTRI_LLAMA_CPP_SHA256}\n")
    find_program(LTRI_PYTHON NAMES python3 REQUIRED)
    message(STATUS "Fetching the pinned llama.cpp (${LTRI_LLAMA_CPP_PACKAGE})")
    execute_process(
      COMMAND "${LTRI_PYTHON}" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary llama-cpp-python
              --require-hashes -r "${_download}/requirements.txt" -d "${_download}"
      RESULT_VARIABLE _failed)
    if(_failed)
      message(FATAL_ERROR "Could not fetch ${LTRI_LLAMA_CPP_PACKAGE} with pip. Name a llama.cpp source folder with "
                          "-DLTRI_LLAMA_CPP_DIR=... instead.")
    endif()
    file(GLOB _archive "${_download}/llama_cpp_python-*.tar.gz")
    file(ARCHIVE_EXTRACT INPUT "${_archive}" DESTINATION "${_download}")
    file(GLOB _vendor "${_download}/llama_cpp_python-*/vendor/llama.cpp")
    file(RENAME "${_vendor}" "${_source}")
    file(REMOVE_RECURSE "${_download}")
  endif()
endif()

# One build for all presets. The key holds what changes the objects: source, compiler, native or portable code, machine.
option(LTRI_NATIVE "Let ggml use every instruction of this machine (the binary then needs a CPU like it)" ON)
set(_isa "")
if(LTRI_NATIVE AND EXISTS /proc/cpuinfo)
  file(STRINGS /proc/cpuinfo _isa REGEX "^(flags|Features)" LIMIT_COUNT 1)
endif()
execute_process(COMMAND c++ --version OUTPUT_VARIABLE _compiler)
string(SHA256 _key "${_source_key} ${_compiler} ${LTRI_NATIVE} ${_isa} 1")
string(SUBSTRING "${_key}" 0 12 _key)
set(_build "${_cache}/llama.cpp-build-${_key}")

if(NOT EXISTS "${_build}/complete")
  message(STATUS "Building llama.cpp once for every preset (some minutes) in ${_build}")
  find_program(LTRI_CCACHE ccache)
  set(_launcher "")
  if(LTRI_CCACHE)
    set(_launcher -DCMAKE_C_COMPILER_LAUNCHER=${LTRI_CCACHE} -DCMAKE_CXX_COMPILER_LAUNCHER=${LTRI_CCACHE})
  endif()
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -S "${_source}" -B "${_build}" -G Ninja -DCMAKE_BUILD_TYPE=Release
            -DCMAKE_C_COMPILER=cc -DCMAKE_CXX_COMPILER=c++ ${_launcher} -DGGML_CCACHE=OFF
            -DBUILD_SHARED_LIBS=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DGGML_NATIVE=${LTRI_NATIVE}
            -DLLAMA_BUILD_COMMON=ON -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_EXAMPLES=OFF
            -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_OPENSSL=ON
    RESULT_VARIABLE _failed OUTPUT_QUIET)
  if(NOT _failed)
    execute_process(COMMAND "${CMAKE_COMMAND}" --build "${_build}" --target llama llama-common ggml RESULT_VARIABLE _failed)
  endif()
  if(_failed)
    message(FATAL_ERROR "llama.cpp did not build in ${_build}")
  endif()
  file(TOUCH "${_build}/complete")
endif()

# The archives bring the OpenMP runtime of the compiler that built them, which may not be the one that links them.
if(_compiler MATCHES "Free Software Foundation" AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(_openmp gomp)
else()
  find_package(OpenMP REQUIRED)
  set(_openmp OpenMP::OpenMP_CXX)
endif()
find_package(OpenSSL REQUIRED)
find_package(Threads REQUIRED)
add_library(ltri_llama_cpp INTERFACE)
target_include_directories(ltri_llama_cpp SYSTEM INTERFACE
  "${_source}/include" "${_source}/ggml/include" "${_source}/common" "${_source}/vendor")
# The source comes with vocabularies of many kinds, for the tests.
target_compile_definitions(ltri_llama_cpp INTERFACE LTRI_TEST_VOCABULARIES="${_source}/models")
set(_libraries "")
foreach(_name llama-common llama-common-base cpp-httplib llama ggml ggml-cpu ggml-base)
  file(GLOB_RECURSE _library "${_build}/lib${_name}.a")
  if(_library)
    list(APPEND _libraries "${_library}")
  endif()
endforeach()
target_link_libraries(ltri_llama_cpp INTERFACE
  -Wl,--start-group ${_libraries} -Wl,--end-group ${_openmp} OpenSSL::SSL OpenSSL::Crypto Threads::Threads dl m)

# nlohmann-json alone, for folders that may not see the headers of llama.cpp.
add_library(ltri_json INTERFACE)
target_include_directories(ltri_json SYSTEM INTERFACE "${_source}/vendor")
