# Builds for Debian 12 on arm64 with this machine's clang, against the sysroot
# that sysroot.sh makes. Host tools (protoc, mlir-tblgen) are this machine's.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
get_filename_component(QUERN_SYSROOT
  "${CMAKE_CURRENT_LIST_DIR}/../../build/arm64-sysroot" ABSOLUTE)
if(NOT EXISTS ${QUERN_SYSROOT}/packages.txt)
  message(FATAL_ERROR "There is no ${QUERN_SYSROOT}: run "
    "deploy/arm64/build.sh, which makes it")
endif()
set(CMAKE_SYSROOT ${QUERN_SYSROOT})
set(CMAKE_C_COMPILER clang-19)
set(CMAKE_CXX_COMPILER clang++-19)
set(CMAKE_C_COMPILER_TARGET aarch64-linux-gnu)
set(CMAKE_CXX_COMPILER_TARGET aarch64-linux-gnu)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${QUERN_SYSROOT})
set(ENV{PKG_CONFIG_LIBDIR}
  ${QUERN_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${QUERN_SYSROOT}/usr/share/pkgconfig)

# Where Debian's libMLIR lies on the device.
set(CMAKE_INSTALL_RPATH /usr/lib/llvm-19/lib)
