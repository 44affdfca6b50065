# `cmake --install build/release` (DESTDIR and --prefix are honoured) and, in build/release, `cpack -G DEB`.
include(GNUInstallDirs)

install(TARGETS weir RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES LICENSE NOTICE README.md ARCHITECTURE.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs FILES_MATCHING PATTERN "*.md")
install(DIRECTORY packaging/front/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/front)

# What depends on the moment of installing: the engine's library, the data packs, the unit, the configuration.
set(WEIR_ENGINE_LIBRARY ${CMAKE_SOURCE_DIR}/build/engine/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so)
install(CODE "set(WEIR_SOURCE_DIR \"${CMAKE_SOURCE_DIR}\")
set(WEIR_ENGINE_LIBRARY \"${WEIR_ENGINE_LIBRARY}\")
include(\"${CMAKE_SOURCE_DIR}/cmake/install_system_files.cmake\")")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME weir)
set(CPACK_PACKAGE_VENDOR "the weir authors")
set(CPACK_PACKAGE_CONTACT "The weir authors <authors@weir.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "self-hosted web and product analytics")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"weir takes events over HTTP, writes each to its journal on disk before it
answers, loads them exactly once into a ClickHouse that it starts and watches
itself, and answers SQL over them.
.
The package carries ClickHouse's library and the data by which visitors' programs
and places are told; nothing else has to be installed.")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_SET_DESTDIR ON)  # because /etc is outside of the prefix
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION web)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "nginx-light | nginx | haproxy")
# xz, the default, takes five minutes for the engine's library; zstd takes seconds and is a quarter larger.
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_THREADS 0)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_SOURCE_DIR}/packaging/debian/conffiles
    ${CMAKE_SOURCE_DIR}/packaging/debian/postinst
    ${CMAKE_SOURCE_DIR}/packaging/debian/prerm
    ${CMAKE_SOURCE_DIR}/packaging/debian/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
