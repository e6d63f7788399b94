# The wrong half of a must-not-compile pair: with EIGAN_REJECT defined, SOURCE fails with the expected message.
#   cmake -D COMPILER=g++ -D COMPILER_ID=GNU|Clang -D INCLUDES=<folders> -D SOURCE=<file> -P reject.cmake
# The file says what the compiler must print, as regular expressions, all of which must match:
#   // EXPECT: every compiler      // EXPECT(GNU): g++ only      // EXPECT(Clang): clang++ only
list(TRANSFORM INCLUDES PREPEND -I OUTPUT_VARIABLE include_flags)
execute_process(
  COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${COMPILER} -std=c++20 -fsyntax-only -DEIGAN_REJECT ${include_flags} ${SOURCE}
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
