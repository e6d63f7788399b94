# The wrong half of a must-not-compile pair: with EIGAN_REJECT defined, SOURCE fails with the expected message.
#   cmake -D COMPILER=g++ -D COMPILER_ID=GNU|Clang "-D INCLUDES=<folder>|<folder>" -D PRECOMPILED=<file> -D SOURCE=<file> -P reject.cmake
# The file says what the compiler must print, as regular expressions, all of which must match:
#   // EXPECT: every compiler      // EXPECT(GNU): g++ only      // EXPECT(Clang): clang++ only
# A SOURCE that is a header is precompiled: PRECOMPILED includes it, and PRECOMPILED.gch is the result.
string(REPLACE "|" ";" INCLUDES "${INCLUDES}")
list(TRANSFORM INCLUDES PREPEND -I OUTPUT_VARIABLE include_flags)
set(compile ${CMAKE_COMMAND} -E env LC_ALL=C ${COMPILER} -std=c++20 ${include_flags})
if(SOURCE MATCHES "\\.hpp$")
  file(WRITE ${PRECOMPILED} "#include \"${SOURCE}\"\n")
  execute_process(
    COMMAND ${compile} -w -x c++-header ${PRECOMPILED} -o ${PRECOMPILED}.gch -MD -MF ${PRECOMPILED}.d -MT ${PRECOMPILED}.gch
    COMMAND_ERROR_IS_FATAL ANY)
  return()
endif()
execute_process(
  COMMAND ${compile} -w -include ${PRECOMPILED} -fsyntax-only -DEIGAN_REJECT ${SOURCE}
  RESULT_VARIABLE status ERROR_VARIABLE output)
if(status EQUAL 0)
  message(FATAL_ERROR "The wrong code compiles.")
endif()

file(STRINGS ${SOURCE} lines REGEX "^// EXPECT(\\(${COMPILER_ID}\\))?: ")
if(NOT lines)
  message(FATAL_ERROR "${SOURCE} says nowhere what to expect from ${COMPILER_ID}.")
endif()
foreach(line IN LISTS lines)
  string(REGEX REPLACE "^// EXPECT[^:]*: " "" expected "${line}")
  if(NOT output MATCHES "${expected}")
    message(SEND_ERROR "Expected: ${expected}\nPrinted:\n${output}")
  endif()
endforeach()
