# single_include/eigan.hpp is what scripts/dev/single-header would write now.
#   cmake -D PYTHON=<python3> -D ROOT=<project> -D OUT=<file> -P fresh.cmake
cmake_minimum_required(VERSION 3.25)
execute_process(COMMAND ${PYTHON} ${ROOT}/scripts/dev/single-header ${OUT} COMMAND_ERROR_IS_FATAL ANY)
file(READ ${OUT} fresh)
file(READ ${ROOT}/single_include/eigan.hpp kept)
if(NOT fresh STREQUAL kept)
  message(FATAL_ERROR "single_include/eigan.hpp is not made of the headers as they are: run scripts/dev/single-header")
endif()
