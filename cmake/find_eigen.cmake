# The target Eigen3::Eigen, of version 3.4 or anything newer; eigan_lacks_eigen says why there is none. Also installed,
# for find_package(eigan). The version is compared here, because Eigen's own packages meet a request for 3.4 with 3.x alone.
set(eigan_lacks_eigen "")
if(NOT TARGET Eigen3::Eigen) # a project may have brought its own
  find_package(Eigen3 QUIET CONFIG)
  if(NOT Eigen3_FOUND)
    set(eigan_lacks_eigen "eigan needs Eigen 3.4 or newer; no Eigen3Config.cmake was found (Eigen3_DIR says where it is)")
  elseif(Eigen3_VERSION VERSION_LESS 3.4)
    set(eigan_lacks_eigen "eigan needs Eigen 3.4 or newer; ${Eigen3_DIR} has ${Eigen3_VERSION} (Eigen3_DIR names another)")
  endif()
endif()
