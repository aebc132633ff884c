# Runs a server program with the settings of echo, which every server knows.
function(run_echo program)
  execute_process(COMMAND ${program} --config=${BUILD}/install-test/tree/share/doc/brood/examples/echo.conf --test-config
                  OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
  if(NOT output MATCHES "no mistakes")
    message(FATAL_ERROR "${program} says: ${output}")
  endif()
endfunction()
