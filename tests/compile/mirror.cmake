# Every include/eigan/a/b.hpp has a tests/a/b_test.cpp, and every tests/a/b_test.cpp its header.
#   cmake -D ROOT=<project> -P mirror.cmake
cmake_minimum_required(VERSION 3.25)

# What stands here is tested elsewhere, or is nothing to test:
set(without_test
  version.hpp         # the version's number
  eigan.hpp           # the umbrella, compiled by itself
  metrics.hpp         # another
  core/types.hpp      # an alias and a constant
  core/eigen.hpp      # Eigen, without the false warnings of one compiler: scripts/check v4
  core/region.hpp     # what the pool is made of: core/pool_test.cpp
  core/parameter.hpp  # names and numbers, filled in by the layers' own tests
  optim/check_update.hpp # what optimisers refuse, by their own tests
  metrics/check_samples.hpp # what metrics refuse, by theirs
  io/has_files.hpp          # what a system has: scripts/check wasm
  io/pixel.hpp              # io/image_sheet_test.cpp
  io/safetensors_header.hpp # the first half of a reader: io/safetensors_test.cpp
  io/npy_header.hpp         # the same: io/npy_test.cpp
  io/model_tensors.hpp      # what model files and checkpoints share: io/model_file_test.cpp
  io/checkpoint_state.hpp   # io/checkpoint_test.cpp
  io/onnx_graph.hpp         # what save_onnx is made of: io/onnx_test.cpp
  io/onnx_layer.hpp         # the same
  io/onnx_operators.hpp     # the same
  io/onnx_writers.hpp       # the same
  net/check_fit.hpp       # what models refuse: net/basic_model_test.cpp and its neighbours
  net/step.hpp            # an entry of net/steps.hpp: its test
  net/must_be_a_layer.hpp # what compilers say: tests/compile/reject
  testing/numeric.hpp     # what checks are made of: testing/check_layer_test.cpp and its neighbours
  testing/trial.hpp       # the same
  layers/channels.hpp    # what normalisations share: their tests
  layers/convolution.hpp # what convolutions share: theirs
  layers/power_method.hpp # layers/spectral_norm_test.cpp
  layers/spatial.hpp     # what layers of images share: theirs
  layers/window.hpp      # what poolings share: theirs
  kernels/convolution_sizes.hpp # how kernels divide their work: kernels/convolution_test.cpp
  kernels.hpp          # all kernels, another umbrella
  kernels/map.hpp      # what element-wise kernels share: their tests
  kernels/denormals.hpp # what optimisers' kernels share: theirs
  kernels/dispatch.hpp # picks a table: every subject's test
  kernels/strided.hpp) # a pointer and two numbers: kernels/products_test.cpp
set(without_header
  core/pool_process_test.cpp     # core/pool.hpp: signals, fork, the process's end
  golden/golden_test.cpp         # everything at once, against PyTorch
  golden/images_golden_test.cpp  # layers for images, against PyTorch
  golden/metrics_golden_test.cpp # all metrics, against NumPy
  golden/revision_6189ee1_test.cpp # files that an older eigan wrote
  golden/torch_network_test.cpp    # a file that PyTorch wrote
  image_to_image/baselines_test.cpp      # examples/image_to_image
  image_to_image/cycle_gan_test.cpp      # the same
  image_to_image/edges_test.cpp          # the same
  image_to_image/feed_test.cpp           # the same
  image_to_image/fonts_test.cpp          # the same
  image_to_image/input_picture_test.cpp  # the same
  image_to_image/networks_test.cpp       # the same
  image_to_image/own_pictures_test.cpp   # the same
  image_to_image/pix2pix_test.cpp        # the same
  image_to_image/semantic_loss_test.cpp  # the same
  image_to_image/splits_test.cpp         # the same
  image_to_image/task_files_test.cpp     # the same
  image_to_image/translator_test.cpp     # the same
  kit/chart_axis_test.cpp        # examples/kit
  kit/columns_test.cpp             # the same
  kit/jpeg_header_test.cpp         # the same
  kit/line_chart_test.cpp          # the same
  kit/loss_log_test.cpp            # the same
  kit/read_picture_test.cpp        # the same
  kit/report_test.cpp              # the same
  kit/resized_test.cpp             # the same
  kit/run_test.cpp                 # the same
  kit/score_log_test.cpp           # the same
  page/eight_bits_test.cpp         # examples/page
  page/pictures_test.cpp           # the same
  mnist_gan/gan_test.cpp           # examples/mnist_gan
  mnist_recogniser/blobs_test.cpp       # examples/mnist_recogniser
  mnist_recogniser/frozen_batch_norm_test.cpp # the same
  mnist_recogniser/ink_test.cpp         # the same
  mnist_recogniser/random_warp_test.cpp # the same
  reliability/extreme_numbers_test.cpp      # dense layers and losses
  reliability/extreme_images_test.cpp       # all other layers
  reliability/fast_math_test.cpp            # options and texts under -ffast-math
  reliability/small_stack_test.cpp          # products and steps
  reliability/failing_allocation_test.cpp)  # whatever allocates

function(names_below folder suffix result)
  file(GLOB_RECURSE files RELATIVE ${folder} "${folder}/*${suffix}")
  list(TRANSFORM files REPLACE "${suffix}$" "")
  set(${result} ${files} PARENT_SCOPE)
endfunction()

names_below(${ROOT}/include/eigan .hpp headers)
names_below(${ROOT}/tests _test.cpp tests)
list(TRANSFORM without_test REPLACE ".hpp$" "")
list(TRANSFORM without_header REPLACE "_test.cpp$" "")

set(untested ${headers})
list(REMOVE_ITEM untested ${tests} ${without_test})
set(orphans ${tests})
list(REMOVE_ITEM orphans ${headers} ${without_header})
foreach(name IN LISTS untested)
  message(SEND_ERROR "include/eigan/${name}.hpp has no tests/${name}_test.cpp")
endforeach()
foreach(name IN LISTS orphans)
  message(SEND_ERROR "tests/${name}_test.cpp has no include/eigan/${name}.hpp")
endforeach()
# An exception that is none any more would hide the next omission.
foreach(name IN LISTS without_test)
  if(NOT name IN_LIST headers OR name IN_LIST tests)
    message(SEND_ERROR "mirror.cmake: ${name}.hpp need not be an exception")
  endif()
endforeach()
