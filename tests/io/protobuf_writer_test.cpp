#include <doctest/doctest.h>
#include <string>

#include <eigan/io/protobuf_writer.hpp>

using namespace eigan;

TEST_CASE("ProtobufWriter: the examples of the specification") {
  CHECK(ProtobufWriter().number(1, 150).bytes() == "\x08\x96\x01");
  CHECK(ProtobufWriter().text(2, "testing").bytes() == "\x12\x07testing");
  CHECK(ProtobufWriter().message(3, ProtobufWriter().number(1, 150)).bytes() == "\x1a\x03\x08\x96\x01");
  CHECK(ProtobufWriter().number(1, -2).bytes() == "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  CHECK(ProtobufWriter().real(1, 1.0f).bytes() == std::string("\x0d\x00\x00\x80\x3f", 5));
}
