# The Debian package libeigan-dev: what cmake/install.cmake installs, for every architecture.
#   cmake --preset package && cpack --preset package
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME libeigan-dev)
set(CPACK_PACKAGE_CONTACT "the eigan authors <eigan@localhost>") # Debian wants an address, eigan has none yet
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libeigen3-dev (>= 3.4)")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libomp-dev, libstb-dev, zlib1g-dev")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"eigan trains and runs small networks inside a C++20 program, without Python
and without a large run time. Its headers need Eigen; where the compiler has
OpenMP they use all processors, with the same results for any number of
threads. Models are kept as safetensors files, which PyTorch reads.")
# Whatever the umask of whoever packs it.
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

file(ARCHIVE_CREATE OUTPUT ${PROJECT_BINARY_DIR}/changelog.gz PATHS ${PROJECT_SOURCE_DIR}/CHANGELOG.md
     FORMAT raw COMPRESSION GZip COMPRESSION_LEVEL 9)
install(FILES ${PROJECT_BINARY_DIR}/changelog.gz DESTINATION ${CMAKE_INSTALL_DOCDIR})
include(CPack)
