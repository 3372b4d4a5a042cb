# `cmake --install`: the program, the library with its headers and package file (find_package(ltri) gives ltri::ltri),
# and the demo's text.
include(CMakePackageConfigHelpers)

if(TARGET ltri)
  install(TARGETS ltri RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
install(TARGETS ltri_shared EXPORT ltri_targets LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY include/ltri DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
install(FILES data/moby-dick.txt DESTINATION "${CMAKE_INSTALL_DATADIR}/ltri")
install(FILES LICENSE NOTICE DESTINATION "${CMAKE_INSTALL_DOCDIR}")

set(_package "${CMAKE_INSTALL_LIBDIR}/cmake/ltri")
install(EXPORT ltri_targets NAMESPACE ltri:: FILE ltriConfig.cmake DESTINATION "${_package}")
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/ltriConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/ltriConfigVersion.cmake" DESTINATION "${_package}")
