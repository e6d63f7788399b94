# How eigan compiles its own tests, examples and benchmarks: strict warnings as errors, the machine's own processor.

# eigan_own_program(target): the library, the warnings and the processor flags.
function(eigan_own_program target)
  target_link_libraries(${target} PRIVATE eigan::eigan)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wcast-align -Wunused
    -Woverloaded-virtual -Wdouble-promotion -Wformat=2 -Wimplicit-fallthrough -Wnon-virtual-dtor -Werror
    $<$<CXX_COMPILER_ID:GNU>:-Wmisleading-indentation -Wduplicated-cond -Wduplicated-branches -Wlogical-op>
    $<$<BOOL:${EIGAN_NATIVE}>:-march=native>)
endfunction()
