# Finds CLBlast >= 1.5.3: sets CLBlast_FOUND and CLBlast_VERSION. By its header,
# since Debian's package has no version file for find_package() to look at.
find_path(CLBLAST_INCLUDE_DIR clblast_c.h)
find_library(CLBLAST_LIBRARY clblast)
mark_as_advanced(CLBLAST_INCLUDE_DIR CLBLAST_LIBRARY)

set(CLBlast_FOUND FALSE)
set(CLBlast_VERSION "")
if(CLBLAST_INCLUDE_DIR AND CLBLAST_LIBRARY)
  # The macros are as young as the version asked for.
  file(STRINGS ${CLBLAST_INCLUDE_DIR}/clblast_c.h numbers
       REGEX "define CLBLAST_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
  string(REGEX REPLACE "[^0-9;]" "" numbers "${numbers}")
  string(REPLACE ";" "." CLBlast_VERSION "${numbers}")
  if(CLBlast_VERSION VERSION_GREATER_EQUAL 1.5.3)
    set(CLBlast_FOUND TRUE)
  endif()
endif()
