# Moves the debug information of FILE into the folder .debug beside it.
cmake_minimum_required(VERSION 3.25)
get_filename_component(folder ${FILE} DIRECTORY)
get_filename_component(name ${FILE} NAME)
file(MAKE_DIRECTORY ${folder}/.debug)
if(name MATCHES "\\.a$")
  file(COPY ${FILE} DESTINATION ${folder}/.debug)
  execute_process(COMMAND ${OBJCOPY} --strip-debug ${FILE} COMMAND_ERROR_IS_FATAL ANY)
else()
  execute_process(COMMAND ${OBJCOPY} --only-keep-debug ${FILE} ${folder}/.debug/${name}.debug COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${OBJCOPY} --strip-debug --strip-unneeded --add-gnu-debuglink=${folder}/.debug/${name}.debug ${FILE}
                  COMMAND_ERROR_IS_FATAL ANY)
endif()
