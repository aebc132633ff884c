# An empty program that includes brood/server.hpp stays cheap, and sees nothing of the libraries behind it.
set(source ${BUILD}/test/install/empty.cpp)
file(WRITE ${source} "#include <brood/server.hpp>\nint main() {}\n")
execute_process(COMMAND ${CXX} -std=c++20 -E -I ${SOURCE}/include ${source} -o ${source}.i COMMAND_ERROR_IS_FATAL ANY)
file(STRINGS ${source}.i lines REGEX "boost/|spdlog/|nlohmann/")
if(lines)
  message(SEND_ERROR "a public header includes: ${lines}")
endif()
execute_process(COMMAND wc -l INPUT_FILE ${source}.i OUTPUT_VARIABLE count OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
message("brood/server.hpp preprocesses to ${count} lines")
if(NOT count LESS 65000)
  message(SEND_ERROR "more than 65000 lines")
endif()
