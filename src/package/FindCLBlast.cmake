# Finds CLBlast >= the version asked for: CLBlast_FOUND, CLBlast_VERSION and the target
# CLBlast::CLBlast. By its header, since Debian's package has no version file. Installed
# beside the package of sqa_cl, whose static library may need it.
include(FindPackageHandleStandardArgs)

find_path(CLBLAST_INCLUDE_DIR clblast_c.h)
find_library(CLBLAST_LIBRARY clblast)
mark_as_advanced(CLBLAST_INCLUDE_DIR CLBLAST_LIBRARY)

set(CLBlast_VERSION 0) # the macros are as young as 1.5.3
if(CLBLAST_INCLUDE_DIR)
  file(STRINGS ${CLBLAST_INCLUDE_DIR}/clblast_c.h numbers
       REGEX "define CLBLAST_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
  if(numbers)
    string(REGEX REPLACE "[^0-9;]" "" numbers "${numbers}")
    string(REPLACE ";" "." CLBlast_VERSION "${numbers}")
  endif()
endif()
find_package_handle_standard_args(CLBlast REQUIRED_VARS CLBLAST_LIBRARY CLBLAST_INCLUDE_DIR
                                  VERSION_VAR CLBlast_VERSION)

if(CLBlast_FOUND AND NOT TARGET CLBlast::CLBlast)
  add_library(CLBlast::CLBlast UNKNOWN IMPORTED)
  set_target_properties(CLBlast::CLBlast PROPERTIES IMPORTED_LOCATION "${CLBLAST_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${CLBLAST_INCLUDE_DIR}")
endif()
