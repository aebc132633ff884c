# What `make install` puts where: the library with its headers, the ways to find it (CMake, pkg-config), brood, broodctl
# and brood-load, the manual, and the examples with their settings. Included from the top, when all targets are known.
include(CMakePackageConfigHelpers)

set(brood_cmake_directory ${CMAKE_INSTALL_LIBDIR}/cmake/brood)

add_custom_target(installed-programs)
add_dependencies(installed-programs brood broodctl brood-load brood-parent greeter)
install(TARGETS brood EXPORT brood-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS broodctl brood-load RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS brood-parent RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(DIRECTORY include/brood DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")

install(EXPORT brood-targets NAMESPACE brood:: DESTINATION ${brood_cmake_directory})
configure_package_config_file(cmake/brood-config.cmake.in ${PROJECT_BINARY_DIR}/brood-config.cmake
                              INSTALL_DESTINATION ${brood_cmake_directory} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change what is public.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/brood-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/brood-config.cmake ${PROJECT_BINARY_DIR}/brood-config-version.cmake
        DESTINATION ${brood_cmake_directory})

# From where it lies to the prefix, so that the tree may be moved, and installed elsewhere than it was configured for.
file(RELATIVE_PATH brood_pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/brood.pc.in ${PROJECT_BINARY_DIR}/brood.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/brood.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

file(GLOB brood_pages CONFIGURE_DEPENDS man/*.[1-9])
foreach(page IN LISTS brood_pages)
  string(REGEX REPLACE ".*\\." "" section ${page})
  install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()

file(GLOB brood_examples CONFIGURE_DEPENDS example/*.cpp etc/*.conf)
install(FILES ${brood_examples} DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(DIRECTORY etc/systemd etc/container etc/kubernetes etc/balancers etc/prometheus DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(PROGRAMS example/listen_fds.py example/per_connection.sh DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(DIRECTORY example/httpd example/proxy example/patterns DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples
        PATTERN CMakeLists.txt EXCLUDE)

# The example directory of brood, with its programs where they are installed: named from there, so that this tree, too,
# may be moved.
set(brood_example_directory ${CMAKE_INSTALL_DOCDIR}/examples/brood)
set(brood_example_programs ${CMAKE_INSTALL_LIBEXECDIR}/brood)
install(TARGETS greeter RUNTIME DESTINATION ${brood_example_programs})
file(RELATIVE_PATH to_programs /prefix/${brood_example_directory} /prefix/${brood_example_programs})
file(GLOB_RECURSE brood_directory CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/etc/brood etc/brood/*.conf)
foreach(file IN LISTS brood_directory)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/etc/brood/${file})
  file(READ etc/brood/${file} content)
  string(REPLACE "../../build/release" "${to_programs}" content "${content}")
  string(REPLACE "../../example" ".." content "${content}")
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/etc/brood/${file} CONTENT "${content}" @ONLY)
endforeach()
install(DIRECTORY ${PROJECT_BINARY_DIR}/etc/brood/ DESTINATION ${brood_example_directory})

# Debug information goes into the folder .debug beside each file, where debuggers look for it.
if(CMAKE_OBJCOPY AND NOT BROOD_SANITIZE)
  foreach(file ${CMAKE_INSTALL_LIBDIR}/libbrood.a ${CMAKE_INSTALL_BINDIR}/broodctl ${CMAKE_INSTALL_BINDIR}/brood-load ${CMAKE_INSTALL_SBINDIR}/brood
               ${brood_example_programs}/greeter)
    install(CODE "execute_process(COMMAND ${CMAKE_COMMAND} -D OBJCOPY=${CMAKE_OBJCOPY} -D \"FILE=\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${file}\"
      -P ${PROJECT_SOURCE_DIR}/cmake/split_debug.cmake COMMAND_ERROR_IS_FATAL ANY)")
  endforeach()
endif()
