# A room is one static library, weir_<room>, of the files in src/weir/<room>. What it may link stands in
# tools/imports.txt and nowhere else.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/imports.txt)
file(STRINGS ${CMAKE_SOURCE_DIR}/tools/imports.txt lines REGEX "^[a-z]+:")
set(WEIR_ROOMS "")
foreach(line IN LISTS lines)
  string(REGEX MATCH "^([a-z]+):[ ]*(.*)$" _ "${line}")
  list(APPEND WEIR_ROOMS ${CMAKE_MATCH_1})
  string(REPLACE " " ";" imports "${CMAKE_MATCH_2}")
  set(WEIR_IMPORTS_${CMAKE_MATCH_1} ${imports})
endforeach()

add_library(weir_flags INTERFACE)
target_include_directories(weir_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(weir_flags INTERFACE -Wall -Wextra -Werror -Wno-unknown-warning-option)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # GCC 12 reports these two wrongly inside the standard library and Boost when optimising coroutines.
  target_compile_options(weir_flags INTERFACE -Wno-error=maybe-uninitialized -Wno-error=restrict -Wno-error=stringop-overflow
                         -Wno-error=array-bounds -Wno-error=stringop-overread -Wno-error=free-nonheap-object)
endif()
if(WEIR_SANITIZE)
  target_compile_options(weir_flags INTERFACE -fsanitize=${WEIR_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(weir_flags INTERFACE -fsanitize=${WEIR_SANITIZE})
  # The engine's child process cannot map its address space under ASan's limits on guard pages.
  target_compile_definitions(weir_flags INTERFACE WEIR_SANITIZED=1)
endif()
if(WEIR_SANITIZE MATCHES thread)
  # ThreadSanitizer does not understand fences, and GCC says so as an error. Asio has them around each handler, beside
  # locks that are enough.
  target_compile_definitions(weir_flags INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK=1)
endif()
if(WEIR_SANITIZE MATCHES undefined AND CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  # clang 14 cannot emit this check's data for coroutines ("Cannot represent a difference across sections").
  target_compile_options(weir_flags INTERFACE -fno-sanitize=function)
endif()
if(WEIR_FUZZ)
  target_compile_options(weir_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_link_libraries(weir_flags INTERFACE Threads::Threads fmt::fmt Boost::headers)
target_compile_definitions(weir_flags INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE=1
                           WEIR_VERSION="${PROJECT_VERSION}")
# Coroutine frames from operator new: glibc's aligned_alloc, Asio's choice, passes its threads' caches by. No handler is
# aligned beyond what operator new gives.
target_compile_definitions(weir_flags INTERFACE BOOST_ASIO_DISABLE_STD_ALIGNED_ALLOC=1 BOOST_ASIO_DISABLE_BOOST_ALIGN=1)

# weir_room(<room> [LIBRARIES third-party targets...])
# Compiles every .cc below the room except *_test.cc, and one test program of the *_test.cc files. Files named
# *_engine_test.cc are a program of their own, label integration: they run a private ClickHouse and skip without one.
function(weir_room room)
  cmake_parse_arguments(ARG "" "" "LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(engine_tests ${tests})
  list(FILTER engine_tests INCLUDE REGEX "_engine_test\\.cc$")
  list(FILTER tests EXCLUDE REGEX "_engine_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  set(links "")
  foreach(import IN LISTS WEIR_IMPORTS_${room})
    list(APPEND links weir_${import})
  endforeach()
  if(sources)
    add_library(weir_${room} STATIC ${sources})
    target_link_libraries(weir_${room} PUBLIC weir_flags ${links} PRIVATE ${ARG_LIBRARIES})
  else()
    add_library(weir_${room} INTERFACE)
    target_link_libraries(weir_${room} INTERFACE weir_flags ${links})
  endif()
  if(WEIR_TESTS AND tests)
    weir_room_test(${room} weir_${room}_test unit 120 "${tests}" ${ARG_LIBRARIES})
  endif()
  if(WEIR_TESTS AND engine_tests)
    weir_room_test(${room} weir_${room}_engine_test integration 300 "${engine_tests}" ${ARG_LIBRARIES})
  endif()
endfunction()

# weir_room_test(<room> <program> <label> <timeout seconds> "<sources>" libraries...)
function(weir_room_test room program label timeout sources)
  add_executable(${program} ${sources})
  target_link_libraries(${program} PRIVATE weir_${room} ${ARGN} GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${program} PRIVATE WEIR_TESTS_DIR="${CMAKE_SOURCE_DIR}/tests")
  gtest_discover_tests(${program} TEST_PREFIX ${room}. DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${label} TIMEOUT ${timeout})
endfunction()

# weir_embed(ROOM FILE HEADER FUNCTION): FILE, a text below data/, is part of the program. FUNCTION gives it: a
# std::string_view weir::ROOM::FUNCTION() that weir/ROOM/HEADER declares. After weir_room().
function(weir_embed room file header function)
  set(text_file ${CMAKE_SOURCE_DIR}/data/${file})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${text_file})
  file(READ ${text_file} text)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${function}.cc @ONLY CONTENT
       "#include \"weir/@room@/@header@\"\n
std::string_view weir::@room@::@function@() { return R\"table(@text@)table\"; }\n")
  target_sources(weir_${room} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${function}.cc)
endfunction()
