# The C program in README.md, built and run as it stands there.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/README.md)
file(READ ${PROJECT_SOURCE_DIR}/README.md readme)
string(FIND "${readme}" "```c\n" start)
math(EXPR start "${start} + 5")
string(SUBSTRING "${readme}" ${start} -1 readme)
string(FIND "${readme}" "```" length)
string(SUBSTRING "${readme}" ${length} -1 rest)
string(SUBSTRING "${readme}" 0 ${length} readme)
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/readme_example.c.new "${readme}")
configure_file(${CMAKE_CURRENT_BINARY_DIR}/readme_example.c.new
  ${CMAKE_CURRENT_BINARY_DIR}/readme_example.c COPYONLY)
add_executable(readme_example ${CMAKE_CURRENT_BINARY_DIR}/readme_example.c)
target_link_libraries(readme_example PRIVATE sqa_cl::sqa_cl sqa_build_flags)
sqa_add_script(readme cli $<TARGET_FILE:readme_example>)

# And the lines on training, which stand in a program of ours.
string(FIND "${rest}" "```c\n" start)
math(EXPR start "${start} + 5")
string(SUBSTRING "${rest}" ${start} -1 rest)
string(FIND "${rest}" "```" length)
string(SUBSTRING "${rest}" 0 ${length} training)
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/readme_training.h.new "${training}")
configure_file(${CMAKE_CURRENT_BINARY_DIR}/readme_training.h.new
  ${CMAKE_CURRENT_BINARY_DIR}/readme_training.h COPYONLY)
add_executable(readme_training cli/readme_training.c)
target_include_directories(readme_training PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
target_link_libraries(readme_training PRIVATE sqa_cl::sqa_cl sqa_build_flags)
sqa_add_script(readme_training cli $<TARGET_FILE:readme_training>)
