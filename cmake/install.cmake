# What `cmake --install` and `cpack -G DEB` write: headers and three small files that say where they are. None of them
# holds a path of the machine that wrote it, so the installed tree may be moved. All of it is independent of the
# architecture, hence share/ instead of lib/.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Everything is installed, also the few headers that need more than Eigen (data/gzip.hpp zlib, io/image_sheet.hpp stb):
# whoever includes those brings what they need.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/eigan DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

# find_package(eigan CONFIG)
set(eigan_config_dir ${CMAKE_INSTALL_DATADIR}/cmake/eigan)
install(TARGETS eigan EXPORT eiganTargets INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT eiganTargets NAMESPACE eigan:: DESTINATION ${eigan_config_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/eiganConfig.cmake.in ${PROJECT_BINARY_DIR}/eiganConfig.cmake
                              INSTALL_DESTINATION ${eigan_config_dir} NO_SET_AND_CHECK_MACRO)
# Until 1.0 a minor version may change names.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/eiganConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/eiganConfig.cmake ${PROJECT_BINARY_DIR}/eiganConfigVersion.cmake
        ${CMAKE_CURRENT_LIST_DIR}/find_eigen.cmake DESTINATION ${eigan_config_dir})

# pkg-config --cflags eigan
set(eigan_pkgconfig_dir ${CMAKE_INSTALL_DATADIR}/pkgconfig)
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX}/${eigan_pkgconfig_dir}
           OUTPUT_VARIABLE eigan_prefix_from_pkgconfig)
configure_file(${CMAKE_CURRENT_LIST_DIR}/eigan.pc.in ${PROJECT_BINARY_DIR}/eigan.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/eigan.pc DESTINATION ${eigan_pkgconfig_dir})
