# What Debian builds its own packages with, for what is installed. Not under a sanitizer, which has its own checks.
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" AND NOT BROOD_SANITIZE)
  add_compile_options(-D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE)
  add_link_options(-pie -Wl,-z,relro,-z,now)
endif()
