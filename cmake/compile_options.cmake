# Flags every target of the project shares. The floating-point flags are part of the
# determinism contract: no contraction to fused multiply-add, no value-changing optimisation.
find_program(MQLAB_CCACHE ccache)
if(MQLAB_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER AND NOT MQLAB_PCH)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MQLAB_CCACHE})
endif()

add_library(mqlab_options INTERFACE)
target_compile_features(mqlab_options INTERFACE cxx_std_20)
target_compile_options(mqlab_options INTERFACE
  -ffp-contract=off -fno-fast-math
  $<BUILD_INTERFACE:-Wall> $<BUILD_INTERFACE:-Wextra> $<BUILD_INTERFACE:-Wshadow>
  $<BUILD_INTERFACE:-Wconversion>
  # g++ 12 sees overlapping copies in "text" + std::to_string(n) that are not there (GCC bug 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:$<BUILD_INTERFACE:-Wno-restrict>>
  $<$<BOOL:${MQLAB_WERROR}>:$<BUILD_INTERFACE:-Werror>>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_FLAGS MATCHES "-fsanitize")
  # It then warns of values that are used before they are set, and are set.
  target_compile_options(mqlab_options INTERFACE $<BUILD_INTERFACE:-Wno-maybe-uninitialized>)
endif()
