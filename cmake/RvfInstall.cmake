# What `cmake --install` and `cpack` lay down: headers, static libraries, the CMake package (find_package(rvf
# COMPONENTS runtime)), rvf.pc for pkg-config, and the Debian package. What each component needs from others
# is read from the targets, so a new library or dependency is listed in one place, its own CMakeLists.txt.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/rvf)

# Third-party target -> how a consumer finds it: CMake code, pkg-config module, package with its headers.
function(rvf_third_party target out_find out_module out_debian)
  if(target STREQUAL "Threads::Threads")
    set(r "find_dependency(Threads)" "" "")
  elseif(target STREQUAL "ZLIB::ZLIB")
    set(r "find_dependency(ZLIB)" zlib zlib1g-dev)
  elseif(target STREQUAL "fmt::fmt")
    set(r "find_dependency(fmt)" fmt libfmt-dev)
  elseif(target STREQUAL "simdjson::simdjson")
    set(r "find_dependency(simdjson)" simdjson libsimdjson-dev)
  elseif(target STREQUAL "PkgConfig::ZSTD")
    set(r "rvf_find_module(ZSTD libzstd)" libzstd libzstd-dev)
  elseif(target STREQUAL "PkgConfig::LZ4")
    set(r "rvf_find_module(LZ4 liblz4)" liblz4 liblz4-dev)
  elseif(target STREQUAL "PkgConfig::XXHASH")
    set(r "rvf_find_module(XXHASH libxxhash)" libxxhash libxxhash-dev)
  else()
    message(FATAL_ERROR "cmake/RvfInstall.cmake: say how a consumer finds ${target}")
  endif()
  list(GET r 0 find)
  list(GET r 1 module)
  list(GET r 2 debian)
  set(${out_find} "${find}" PARENT_SCOPE)
  set(${out_module} "${module}" PARENT_SCOPE)
  set(${out_debian} "${debian}" PARENT_SCOPE)
endfunction()

# RVF_COMPONENTS runs from the bottom to the top, so what a library links has been walked before it.
set(RVF_PACKAGE_NEEDS "")
set(all_needs "")
set(archives "")
foreach(name IN LISTS RVF_COMPONENTS)
  set(needs "")
  get_target_property(linked rvf_${name} LINK_LIBRARIES)
  foreach(item IN LISTS linked)
    if(item MATCHES "^rvf::(.+)$")
      list(APPEND needs ${needs_of_${CMAKE_MATCH_1}})
    elseif(TARGET "${item}")
      list(APPEND needs ${item})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES needs)
  set(needs_of_${name} ${needs})
  list(APPEND all_needs ${needs})
  list(PREPEND archives -lrvf_${name})
  string(APPEND RVF_PACKAGE_NEEDS "set(rvf_needs_${name} ${needs})\n")

  target_compile_features(rvf_${name} INTERFACE cxx_std_20)
  install(TARGETS rvf_${name} EXPORT rvfTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endforeach()
list(REMOVE_DUPLICATES all_needs)

set(RVF_PACKAGE_FIND "")
set(modules "")
set(debian_dev "")
foreach(target IN LISTS all_needs)
  rvf_third_party(${target} find module debian)
  string(APPEND RVF_PACKAGE_FIND "  if(\"${target}\" IN_LIST rvf_needed)\n    ${find}\n  endif()\n")
  list(APPEND modules ${module})
  list(APPEND debian_dev ${debian})
endforeach()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/rvf DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
install(EXPORT rvfTargets NAMESPACE rvf:: DESTINATION ${package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/rvfConfig.cmake.in
  ${PROJECT_BINARY_DIR}/rvfConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/rvfConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/rvfConfig.cmake ${PROJECT_BINARY_DIR}/rvfConfigVersion.cmake
  DESTINATION ${package_dir})

# Relative to the file itself, so that an installation can be moved and --prefix is obeyed.
file(RELATIVE_PATH RVF_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" RVF_PC_PREFIX "${RVF_PC_PREFIX}")
list(JOIN archives " " RVF_PC_ARCHIVES)
list(JOIN modules " " RVF_PC_MODULES)
configure_file(${CMAKE_CURRENT_LIST_DIR}/rvf.pc.in ${PROJECT_BINARY_DIR}/rvf.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/rvf.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

# The Debian package: the command, its manual page and completions, and the library to build against.
set(copyright ${PROJECT_BINARY_DIR}/copyright)
file(READ ${PROJECT_SOURCE_DIR}/LICENSE-MIT mit)
file(WRITE ${copyright} "ruvector. Copyright 2026 The ruvector authors.\n\n"
  "Licensed under either of the MIT License, below, or the Apache License 2.0,\n"
  "/usr/share/common-licenses/Apache-2.0, at your choice.\n\n${mit}")
install(FILES ${copyright} DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/ruvector)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ruvector)
set(CPACK_PACKAGE_VENDOR "The ruvector authors")
set(CPACK_PACKAGE_CONTACT "The ruvector authors <maintainers@ruvector.invalid>")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/package)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
list(JOIN debian_dev ", " CPACK_DEBIAN_PACKAGE_SUGGESTS)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "vector memory in one crash-safe file")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"RVF keeps vectors, their ids and a search index in a single file that can be
searched the moment it is opened and survives a crash or power loss at any
point. This package holds the rvf command, its manual page, and the C++20
library with headers, CMake package and pkg-config file.")
include(CPack)
