# What `cmake --install` puts where, and how others find it: the CMake package
# sqa_cl (targets sqa_cl::sqa_cl, sqa_cl::sqa_cl_static) and sqa_cl.pc. Both work
# out their paths from where they lie, so that an installed tree can be moved; but
# for folders that were chosen as absolute paths, which stay what they are.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sqa_cl)
install(TARGETS sqa_cl_shared sqa_cl_static EXPORT sqa_cl_targets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")
install(EXPORT sqa_cl_targets NAMESPACE sqa_cl:: DESTINATION ${package_dir})

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/package/sqa_clConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/sqa_clConfig.cmake INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/sqa_clConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sqa_clConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/sqa_clConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/package/FindCLBlast.cmake
              ${CMAKE_CURRENT_LIST_DIR}/package/FindXXHash.cmake
  DESTINATION ${package_dir})

# sqa_cl.pc lies in the folder of libraries.
set(pc_clblast "")
if(CLBlast_FOUND)
  set(pc_clblast " -lclblast")
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(pc_prefix ${CMAKE_INSTALL_PREFIX})
else()
  file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" pc_prefix "\${pcfiledir}/${pc_prefix}")
endif()
foreach(folder LIBDIR INCLUDEDIR)
  set(pc_${folder} "\${prefix}/${CMAKE_INSTALL_${folder}}")
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${folder}}")
    set(pc_${folder} ${CMAKE_INSTALL_${folder}})
  endif()
endforeach()
configure_file(${CMAKE_CURRENT_LIST_DIR}/package/sqa_cl.pc.in
  ${CMAKE_CURRENT_BINARY_DIR}/sqa_cl.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/sqa_cl.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
