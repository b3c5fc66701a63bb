# SPDX-License-Identifier: Apache-2.0
# Flags shared by every room: warnings, hardening, sanitizers, linker.
add_library(regroup_flags INTERFACE)
target_include_directories(regroup_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(regroup_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  -fstack-protector-strong -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
# TRY is a statement expression: both supported compilers have it.
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(regroup_flags INTERFACE -Wno-gnu-statement-expression -fconstexpr-steps=100000000)  # digit_offset() takes more than a million
else()
  target_compile_options(regroup_flags INTERFACE -Wno-pedantic)
endif()
if(REGROUP_WERROR)
  target_compile_options(regroup_flags INTERFACE -Werror)
endif()
if(REGROUP_SANITIZE)
  target_compile_options(regroup_flags INTERFACE -fsanitize=${REGROUP_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(regroup_flags INTERFACE -fsanitize=${REGROUP_SANITIZE})
  if(REGROUP_SANITIZE MATCHES undefined)
    target_compile_options(regroup_flags INTERFACE -fno-sanitize-recover=undefined)
  endif()
else()
  target_compile_options(regroup_flags INTERFACE $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>
    -fstack-clash-protection -fcf-protection)
  target_link_options(regroup_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
# Assertions of invariants (REGROUP_ASSERT) stay on outside Release.
target_compile_definitions(regroup_flags INTERFACE $<$<NOT:$<CONFIG:Release>>:REGROUP_CHECKED=1>)

find_program(REGROUP_MOLD mold)
if(REGROUP_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  add_link_options(-fuse-ld=mold)
elseif(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  add_link_options(-fuse-ld=lld)
endif()
find_program(REGROUP_CCACHE ccache)
if(REGROUP_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${REGROUP_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${REGROUP_CCACHE})
endif()
