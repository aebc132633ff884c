# Writes to OUTPUT what gives the cases of EXECUTABLE's test suite "slow" that label, beside the one that they have.
# doctest_discover_tests() could label cases by their suites, but starts the program for each case to ask for its suite.
execute_process(COMMAND ${EXECUTABLE} --test-suite=slow --list-test-cases OUTPUT_VARIABLE list COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE ";" "\\;" list "${list}")
string(REPLACE "\n" ";" list "${list}")
set(script "")
foreach(name IN LISTS list)
  if(NOT name MATCHES "^(===|\\[doctest\\])" AND NOT name STREQUAL "")
    string(APPEND script "set_tests_properties([==[${PREFIX}${name}]==] PROPERTIES LABELS slow)\n")
  endif()
endforeach()
file(WRITE ${OUTPUT} "${script}")
