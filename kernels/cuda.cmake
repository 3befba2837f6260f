# CUDA of this build: nvcc of CUDACXX, of PATH or of `./run cuda`, in this order; without one
# everything else is built, and one line says so.
option(WINDROW_CUDA "build kernels/ for the device, where nvcc is found" ON)
# Newer GPUs start from the PTX of the last one.
set(WINDROW_CUDA_ARCHITECTURES "80-real;90-real;100" CACHE STRING
    "GPUs to compile for, as CMAKE_CUDA_ARCHITECTURES takes them")
set(WINDROW_NVCC_OLDEST 12.8)  # the first that knows sm_100

set(nvcc $ENV{CUDACXX})
if(CMAKE_CUDA_COMPILER)
  set(nvcc ${CMAKE_CUDA_COMPILER})
elseif(NOT nvcc)
  find_program(WINDROW_NVCC nvcc PATHS ${PROJECT_SOURCE_DIR}/build/cuda/nvidia/cu13/bin)
  mark_as_advanced(WINDROW_NVCC)
  if(WINDROW_NVCC)
    set(nvcc ${WINDROW_NVCC})
  endif()
endif()

set(without "")
if(NOT WINDROW_CUDA)
  set(without "WINDROW_CUDA is OFF")
elseif(WINDROW_SANITIZE)
  set(without "sanitizers are for the host")
elseif(NOT nvcc)
  set(without "no nvcc on PATH or in CUDACXX; `./run cuda` fetches it")
else()
  execute_process(COMMAND ${nvcc} --version OUTPUT_VARIABLE version ERROR_QUIET)
  string(REGEX MATCH "release ([0-9.]+)" found "${version}")
  if(NOT found)
    set(without "${nvcc} does not tell its version")
  elseif(CMAKE_MATCH_1 VERSION_LESS WINDROW_NVCC_OLDEST)
    set(without "${nvcc} is ${CMAKE_MATCH_1}, older than ${WINDROW_NVCC_OLDEST}")
  endif()
endif()
if(without)
  message(STATUS "CUDA: not built: ${without}")
  set(WINDROW_WITH_CUDA OFF)
  return()
endif()

set(WINDROW_WITH_CUDA ON)
set(CMAKE_CUDA_COMPILER ${nvcc})
set(CMAKE_CUDA_ARCHITECTURES ${WINDROW_CUDA_ARCHITECTURES})
set(CMAKE_CUDA_HOST_COMPILER ${CMAKE_CXX_COMPILER})
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know that nvcc takes it
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
endif()
list(JOIN CMAKE_CUDA_ARCHITECTURES " " architectures)
message(STATUS "CUDA: ${nvcc} ${CMAKE_CUDA_COMPILER_VERSION} for ${architectures}")
# ptxas tells registers and spills of each kernel once, when it compiles; the launcher keeps that
# beside the object, for tests/kernel_resources_test.py.
set(CMAKE_CUDA_COMPILER_LAUNCHER ${PROJECT_SOURCE_DIR}/kernels/keep_resources.sh ${CCACHE})
