# libseccomp makes the filters of the setting `sandbox`. Without it the kit is built, and that setting is refused.
# Included from the top, because it sets BROOD_PC_LIBS.
find_path(SECCOMP_INCLUDE_DIR seccomp.h)
find_library(SECCOMP_LIBRARY seccomp)
option(BROOD_SECCOMP "The setting sandbox: needs libseccomp 2.5" ON)
if(NOT BROOD_SECCOMP)
  return()
endif()
if(NOT SECCOMP_INCLUDE_DIR OR NOT SECCOMP_LIBRARY)
  message(WARNING "There is no libseccomp: the setting sandbox will be refused. Install libseccomp-dev, or set "
                  "-DBROOD_SECCOMP=OFF.")
  set(BROOD_SECCOMP OFF)
  return()
endif()
set(BROOD_PC_LIBS "${BROOD_PC_LIBS} -lseccomp")
