# SPDX-License-Identifier: Apache-2.0
# regroup_room(name LINK lib...)       src/<name>/**/*.cpp as the target regroup_<name>
# regroup_tests(name LINK lib...)      tests/<name>/**/*_test.cpp as the program test_<name>
# A file added to a folder is found at the next build; there are no lists to keep.

function(regroup_room name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${name}/*.cpp)
  if(sources)
    add_library(regroup_${name} STATIC ${sources})
    target_link_libraries(regroup_${name} PUBLIC regroup_flags ${ARG_LINK})
  else()
    add_library(regroup_${name} INTERFACE)
    target_link_libraries(regroup_${name} INTERFACE regroup_flags ${ARG_LINK})
  endif()
endfunction()

function(regroup_tests name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${name}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE ${ARG_LINK} regroup_flags GTest::gmock GTest::gtest_main)
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(test_${name} PRIVATE REGROUP_TEST_DIR="${CMAKE_SOURCE_DIR}/tests")
  # The code under test keeps its checks; those of the tests themselves would cost a third of their build.
  if(REGROUP_SANITIZE MATCHES undefined)
    target_compile_options(test_${name} PRIVATE -fno-sanitize=undefined)
  endif()
  target_precompile_headers(test_${name} PRIVATE <gtest/gtest.h> <gmock/gmock.h>)
  add_test(NAME ${name} COMMAND test_${name} --gtest_brief=1)
endfunction()
