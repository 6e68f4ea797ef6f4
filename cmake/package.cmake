# The engine and the models as a library: find_package(mqlab) gives mqlab::sim and mqlab::models.
include(CMakePackageConfigHelpers)

install(TARGETS mqlab_options mqlab_sim mqlab_models EXPORT mqlab_targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT mqlab_targets NAMESPACE mqlab:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mqlab FILE mqlab_targets.cmake)
foreach(folder sim models)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mqlab
    FILES_MATCHING PATTERN "*.hpp" PATTERN "*.inc" PATTERN "theory" EXCLUDE)
endforeach()
if(TARGET mqlab)
  install(TARGETS mqlab RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/mqlab-config.cmake
  "include(\"\${CMAKE_CURRENT_LIST_DIR}/mqlab_targets.cmake\")\n")
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/mqlab-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/mqlab-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/mqlab-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/mqlab)
