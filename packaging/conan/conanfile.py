"""Conan 2 recipe of the checkout that it lies in: `conan create packaging/conan`.

The package is what `cmake --install` writes, with eigan's own config file, so a consumer has the same target and the
same choice of OpenMP as everywhere else. eigan sets no flags, hence no options and no settings in the package's name."""

import pathlib
import re

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain
from conan.tools.files import copy


class Eigan(ConanFile):
    name = "eigan"
    description = "Header-only C++20 neural networks on Eigen with hand-written gradients"
    license = "MIT"
    topics = ("neural-network", "deep-learning", "gan", "eigen", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"  # for the configuration of CMake alone, see package_id
    no_copy_source = True

    @property
    def checkout(self):
        return pathlib.Path(self.recipe_folder).parent.parent

    def set_version(self):
        text = (self.checkout / "include/eigan/version.hpp").read_text()
        self.version = ".".join(re.findall(r"#define EIGAN_VERSION_\w+ (\d+)", text))

    def export_sources(self):
        for pattern in "CMakeLists.txt", "CHANGELOG.md", "LICENSE", "cmake/*", "include/*":
            copy(self, pattern, self.checkout, self.export_sources_folder)

    def requirements(self):
        self.requires("eigen/[>=3.4.0]", transitive_headers=True)

    def package_id(self):
        self.info.clear()

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        toolchain.cache_variables["EIGAN_BUILD_TESTS"] = False
        toolchain.cache_variables["EIGAN_BUILD_EXAMPLES"] = False
        toolchain.generate()

    def package(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.install()
        copy(self, "LICENSE", self.source_folder, pathlib.Path(self.package_folder) / "licenses")

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_find_mode", "none")  # the package's own config file
        self.cpp_info.builddirs = ["share/cmake/eigan"]
        self.cpp_info.set_property("pkg_config_name", "eigan")
