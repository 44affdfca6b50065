# Runs when installing; CMAKE_INSTALL_PREFIX is that of the moment. Below /usr and /usr/local the configuration is
# /etc/weir/weir.toml, where weir looks for it; below any other prefix it is PREFIX/etc/weir/weir.toml.
if(NOT EXISTS "${WEIR_ENGINE_LIBRARY}")
  message(FATAL_ERROR "the private store's engine is missing: run tools/install_packages build first "
                      "(${WEIR_ENGINE_LIBRARY})")
endif()
file(INSTALL "${WEIR_ENGINE_LIBRARY}" DESTINATION "${CMAKE_INSTALL_PREFIX}/lib/weir"
     PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)

# A weir that runs from there maps copies of its own (enrich/place_file.h), so they may be overwritten.
if(EXISTS "${WEIR_SOURCE_DIR}/build/packs/packs.json")
  file(GLOB packs "${WEIR_SOURCE_DIR}/build/packs/*")
  list(FILTER packs EXCLUDE REGEX "\\.(new|stamp)$")
  file(INSTALL ${packs} DESTINATION "${CMAKE_INSTALL_PREFIX}/share/weir/packs")
else()
  message(WARNING "The data packs are missing (tools/packs/fetch gets them): weir will know less of visitors")
endif()

if(CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?/?$")
  set(etc /etc/weir)
else()
  set(etc "${CMAKE_INSTALL_PREFIX}/etc/weir")
endif()
if(EXISTS "$ENV{DESTDIR}${etc}/weir.toml")
  message(STATUS "Kept as it is: $ENV{DESTDIR}${etc}/weir.toml")
else()
  file(INSTALL "${WEIR_SOURCE_DIR}/packaging/weir.toml" DESTINATION "${etc}")
endif()

set(WEIR_CONFIG_FILE "${etc}/weir.toml")
string(REGEX REPLACE "/$" "" WEIR_PREFIX "${CMAKE_INSTALL_PREFIX}")
configure_file("${WEIR_SOURCE_DIR}/packaging/systemd/weir.service.in"
               "$ENV{DESTDIR}${WEIR_PREFIX}/lib/systemd/system/weir.service" @ONLY)
list(APPEND CMAKE_INSTALL_MANIFEST_FILES "${WEIR_PREFIX}/lib/systemd/system/weir.service")
