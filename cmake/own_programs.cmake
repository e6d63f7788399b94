# How eigan compiles its own tests, examples and benchmarks: strict warnings, the processor of EIGAN_MARCH. Warnings are
# errors where scripts/check sets CMake's CMAKE_COMPILE_WARNING_AS_ERROR, and for nobody else.
include(CheckCXXCompilerFlag)

# -march=native where the compiler has it: cross compilers have not, nor has clang 14 on aarch64.
check_cxx_compiler_flag(-march=native EIGAN_HAS_MARCH_NATIVE)
set(eigan_native "")
if(EIGAN_HAS_MARCH_NATIVE)
  set(eigan_native -march=native)
endif()
set(eigan_march "")
if(EIGAN_MARCH STREQUAL "native")
  set(eigan_march ${eigan_native})
elseif(EIGAN_MARCH)
  set(eigan_march -march=${EIGAN_MARCH})
endif()

# eigan_own_program(target): the library, the warnings and the processor flags.
function(eigan_own_program target)
  target_link_libraries(${target} PRIVATE eigan::eigan)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wcast-align -Wunused
    -Woverloaded-virtual -Wdouble-promotion -Wformat=2 -Wimplicit-fallthrough -Wnon-virtual-dtor
    # At -O3 g++ 12 finds these in the standard library's own strings and vectors, where there are none. They are shown and
    # stop nothing; clang++ and the sanitizers look for the true ones.
    "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-error=array-bounds;-Wno-error=restrict;-Wno-error=stringop-overflow;-Wno-error=stringop-overread;-Wno-error=maybe-uninitialized;-Wno-error=free-nonheap-object;-Wno-error=dangling-pointer>"
    $<$<CXX_COMPILER_ID:GNU>:-Wmisleading-indentation -Wduplicated-cond -Wduplicated-branches -Wlogical-op>
    ${eigan_march})
endfunction()

# The vector kernels, compiled once for the programs that take them from here: eigan_shares_kernels(target). A file a
# subject, so that cores share them and a change of one leaves the others. Other programs compile their own, as most users'
# programs do.
file(STRINGS ${PROJECT_SOURCE_DIR}/include/eigan/kernels.hpp eigan_kernel_subjects REGEX "^#include <eigan/kernels/")
list(TRANSFORM eigan_kernel_subjects REPLACE "^.*/(.*)[.]hpp>$" "\\1")
add_library(eigan_kernels OBJECT EXCLUDE_FROM_ALL)
foreach(subject IN LISTS eigan_kernel_subjects)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/kernels/${subject}.cpp CONTENT
    "#define EIGAN_COMPILE_KERNELS\n#include <eigan/kernels/${subject}.hpp>\n")
  target_sources(eigan_kernels PRIVATE ${PROJECT_BINARY_DIR}/kernels/${subject}.cpp)
endforeach()
eigan_own_program(eigan_kernels)
function(eigan_shares_kernels target)
  target_compile_definitions(${target} PRIVATE EIGAN_EXTERN_KERNELS)
  target_link_libraries(${target} PRIVATE eigan_kernels)
endfunction()
