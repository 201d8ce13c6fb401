# rvf_library(<name> SOURCES ... DEPS ... [PRIVATE_DEPS ...]) makes the target rvf_<name> (alias rvf::<name>)
# for the folder src/<name>. Its headers are reachable as "<name>/x.hpp" only for targets that link it, because
# the include directory holds nothing but a link to this one folder: an include that climbs does not build.
option(RVF_WERROR "Warnings are errors" ${RVF_DEVELOPER_MODE})
add_library(rvf_warnings INTERFACE)
if(PROJECT_IS_TOP_LEVEL OR RVF_DEVELOPER_MODE)
  target_compile_options(rvf_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual $<$<BOOL:${RVF_WERROR}>:-Werror>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # At -O3 GCC reports moved std::variant and joined std::string as wrong (bugs 80635, 105651). Reads of what
    # was never written are left to clang-tidy and the sanitizers.
    target_compile_options(rvf_warnings INTERFACE -Wno-maybe-uninitialized -Wno-restrict)
  endif()
endif()
if(RVF_SANITIZE)
  add_compile_options(-fsanitize=${RVF_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RVF_SANITIZE})
endif()

set(RVF_COMPONENTS "" CACHE INTERNAL "")

function(rvf_library name)
  cmake_parse_arguments(A "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  set(target rvf_${name})
  add_library(${target} STATIC ${A_SOURCES})
  add_library(rvf::${name} ALIAS ${target})
  set(view ${CMAKE_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${view})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${view}/${name} SYMBOLIC)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${view}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/ruvector>)
  target_link_libraries(${target} PUBLIC ${A_DEPS})
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:rvf_warnings> ${A_PRIVATE_DEPS})
  target_compile_options(${target} PRIVATE -ffp-contract=off)
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} OUTPUT_NAME rvf_${name})
  install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ruvector/${name}
    FILES_MATCHING PATTERN "*test_*" EXCLUDE PATTERN "*_test*" EXCLUDE PATTERN "*.hpp")
  set(RVF_COMPONENTS ${RVF_COMPONENTS} ${name} CACHE INTERNAL "")
endfunction()

set(RVF_TEST_TIMEOUT 900 CACHE STRING "Seconds that a test program may take")

# rvf_test(<name> SOURCES ... DEPS ... [LABELS ...]): a GoogleTest program, one ctest entry a program.
function(rvf_test name)
  if(NOT RVF_DEVELOPER_MODE)
    return()
  endif()
  cmake_parse_arguments(A "" "" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE ${A_DEPS} rvf_warnings GTest::gtest GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE RVF_SHARED_DATA="${CMAKE_SOURCE_DIR}/../shared"
    RVF_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${RVF_TEST_TIMEOUT} LABELS "${A_LABELS}")
endfunction()
