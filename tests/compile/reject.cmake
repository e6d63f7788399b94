# A must-not-compile pair: SOURCE compiles as it is, and with EIGAN_REJECT defined it fails with the expected message.
#   cmake -D COMPILER=g++ -D COMPILER_ID=GNU|Clang -D INCLUDES=<folders> -D SOURCE=<file> -P reject.cmake
# The file says what the compiler must print, as regular expressions, all of which must match:
#   // EXPECT: every compiler      // EXPECT(GNU): g++ only      // EXPECT(Clang): clang++ only
list(TRANSFORM INCLUDES PREPEND -I OUTPUT_VARIABLE include_flags)
set(compile ${COMPILER} -std=c++20 -Wall -Wextra -Wpedantic -fsyntax-only ${include_flags} ${SOURCE})

execute_process(COMMAND ${compile} -Werror RESULT_VARIABLE status ERROR_VARIABLE output)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "The right code does not compile:\n${output}")
endif()

# In the C locale g++ quotes with ', as clang++ does.
execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${compile} -DEIGAN_REJECT RESULT_VARIABLE status ERROR_VARIABLE output)
if(status EQUAL 0)
  message(FATAL_ERROR "The wrong code compiles.")
endif()
file(STRINGS ${SOURCE} lines REGEX "^// EXPECT(\\(${COMPILER_ID}\\))?: ")
list(LENGTH lines count)
if(count EQUAL 0)
  message(FATAL_ERROR "${SOURCE} says nowhere what to expect from ${COMPILER_ID}.")
endif()
foreach(line IN LISTS lines)
  string(REGEX REPLACE "^// EXPECT[^:]*: " "" expected "${line}")
  if(NOT output MATCHES "${expected}")
    message(SEND_ERROR "Expected: ${expected}\n${output}")
  endif()
endforeach()
