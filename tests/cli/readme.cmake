# The C program in README.md, built and run as it stands there.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/README.md)
file(READ ${PROJECT_SOURCE_DIR}/README.md readme)
string(FIND "${readme}" "```c\n" start)
math(EXPR start "${start} + 5")
string(SUBSTRING "${readme}" ${start} -1 readme)
string(FIND "${readme}" "```" length)
string(SUBSTRING "${readme}" 0 ${length} readme)
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/readme_example.c.new "${readme}")
configure_file(${CMAKE_CURRENT_BINARY_DIR}/readme_example.c.new
  ${CMAKE_CURRENT_BINARY_DIR}/readme_example.c COPYONLY)
add_executable(readme_example ${CMAKE_CURRENT_BINARY_DIR}/readme_example.c)
target_link_libraries(readme_example PRIVATE sqa_cl::sqa_cl sqa_build_flags)
sqa_add_script(readme cli $<TARGET_FILE:readme_example>)
