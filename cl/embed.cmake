# Turns OpenCL sources and SQL text into a C table of byte arrays, so that nothing
# is read from disk at run time.
#   cmake -DOUTPUT=file.c -DTABLE=name -DROOT=dir -DFILES="a.cl;b/c.cl" -P embed.cmake
set(arrays "")
set(entries "")
set(number 0)
foreach(file IN LISTS FILES)
  file(READ "${ROOT}/${file}" bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND arrays "static const char file_${number}[] = {\n${bytes}0x00};\n")
  string(APPEND entries "    {\"${file}\", file_${number}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUTPUT}"
  "/* Made by cl/embed.cmake. */\n#include \"base/embedded.h\"\n\n${arrays}\n"
  "const sqa_embedded_file ${TABLE}[] = {\n${entries}    {0, 0},\n};\n")
