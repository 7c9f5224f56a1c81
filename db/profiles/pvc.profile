# Intel Data Center GPU Max 1550. Not recorded on the device: 128 KiB of local memory and sub-groups
# of 16 and 32 are those of Intel's oneAPI GPU optimisation guide; the rest as in dg2.profile.
vendor=intel
architecture=xe-hpc
model=data-center-max-1550
runtime=intel
type=gpu
platform_name=Intel(R) OpenCL Graphics
device_name=Intel(R) Data Center GPU Max 1550
device_vendor=Intel(R) Corporation
compute_units=896
max_work_group_size=1024
max_work_item_size_0=1024
max_work_item_size_1=1024
max_work_item_size_2=1024
local_memory_bytes=131072
local_memory_is_global=0
vector_width_float=1
has_fp64=1
subgroups=choice 16,32
global_memory_bytes=137438953472
max_allocation_bytes=68719476736
device_version=OpenCL 3.0 NEO
