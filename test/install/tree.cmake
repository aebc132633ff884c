# Installs into a tree of its own, and looks whether all is there.
set(tree ${BUILD}/install-test/tree)
file(REMOVE_RECURSE ${BUILD}/install-test)
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --config "${CONFIG}" --prefix ${tree}
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(GLOB headers RELATIVE ${SOURCE} ${SOURCE}/include/brood/*.hpp)
foreach(file sbin/brood bin/broodctl bin/brood-load share/man/man1/brood-load.1 share/doc/brood/examples/brood/defaults/shared.conf share/man/man8/brood_services.8 share/man/man8/brood_admin.8 share/man/man7/brood_design.7
             ${LIBDIR}/libbrood.a ${LIBDIR}/pkgconfig/brood.pc ${LIBDIR}/cmake/brood/brood-config.cmake
             share/man/man3/brood_server.3 share/man/man5/brood.conf.5 share/man/man7/brood.7 share/man/man7/brood_models.7
             share/man/man7/brood_mapping.7 share/man/man7/brood_patterns.7 share/man/man5/brood_status.5
             share/man/man8/broodctl.8 share/doc/brood/examples/echo.cpp share/doc/brood/examples/echo.conf share/doc/brood/examples/patterns/reactor.cpp ${headers})
  if(NOT EXISTS ${tree}/${file})
    message(SEND_ERROR "not installed: ${file}")
  endif()
endforeach()
execute_process(COMMAND ${tree}/bin/broodctl --help OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${tree}/bin/brood-load --help OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
# The example directory names its programs where they are now.
execute_process(COMMAND ${tree}/sbin/brood --config-directory ${tree}/share/doc/brood/examples/brood --test-config
                OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
if(NOT output MATCHES "no mistakes")
  message(SEND_ERROR "brood says of its installed example: ${output}")
endif()
