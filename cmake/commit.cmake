# cmake -D SOURCE=FOLDER -D OUTPUT=FILE -P commit.cmake
# Writes the C++ file that knows the commit the source is at: twelve digits, "-dirty" after them where tracked files were
# changed since, or "unknown" where the source is no checkout. A file that would stay the same is left alone.
set(commit "unknown")
find_program(git git)
if(git)
  # Only when the source is the top of its checkout: a tarball may lie inside another one.
  execute_process(COMMAND ${git} rev-parse --show-prefix WORKING_DIRECTORY ${SOURCE}
    OUTPUT_VARIABLE prefix ERROR_QUIET RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed EQUAL 0 AND prefix STREQUAL "")
    execute_process(COMMAND ${git} describe --always --dirty --abbrev=12 --exclude=* WORKING_DIRECTORY ${SOURCE}
      OUTPUT_VARIABLE found ERROR_QUIET RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(failed EQUAL 0)
      set(commit "${found}")
    endif()
  endif()
endif()

set(text "#include \"experiments/results/report.hpp\"

std::string experiments::source_commit() {
  return \"${commit}\";
}
")
set(old "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT text STREQUAL old)
  file(WRITE ${OUTPUT} "${text}")
endif()
