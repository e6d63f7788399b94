// EIGAN_HAS_FILES: whether the system has files. WebAssembly's WASI lacks a part of what they take; there, models are
// read from memory and written to it.
#pragma once

#if !defined(__wasi__)
#define EIGAN_HAS_FILES
#endif
