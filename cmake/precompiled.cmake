# Where nothing has been compiled before and no compiler cache can help, a third of the time goes into reading the same
# headers again. CI's builds beside the first one precompile them; the first, without, sees a missing #include.
option(MQLAB_PCH "Precompile standard headers: for a build from nothing, instead of a compiler cache" OFF)

# mqlab_precompile(TARGET HEADER…): the standard headers that most files read, and these.
function(mqlab_precompile target)
  if(MQLAB_PCH)
    target_precompile_headers(${target} PRIVATE
      <algorithm> <array> <chrono> <cstdint> <functional> <map> <memory> <optional> <span> <string> <string_view>
      <utility> <variant> <vector> ${ARGN})
  endif()
endfunction()
