# Intel Arc A770. Limits as clinfo showed them in public reports about Intel's compute runtime
# (NEO): vector engines count as compute units, and a kernel may ask for its sub-group size.
vendor=intel
architecture=xe-hpg
model=arc-a770-graphics
runtime=intel
type=gpu
platform_name=Intel(R) OpenCL Graphics
device_name=Intel(R) Arc(TM) A770 Graphics
device_vendor=Intel(R) Corporation
compute_units=512
max_work_group_size=1024
max_work_item_size_0=1024
max_work_item_size_1=1024
max_work_item_size_2=1024
local_memory_bytes=65536
local_memory_is_global=0
vector_width_float=1
has_fp64=0
subgroups=choice 8,16,32
global_memory_bytes=16225243136
max_allocation_bytes=4294959104
device_version=OpenCL 3.0 NEO
