// Snapshot files: what is written is read, and no damage passes.
#include "host/engine/snapshot_file.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "host/engine/key_dictionary.hpp"
#include "tests/temporary_directory.hpp"

namespace windrow {
namespace {

struct Piece {
  std::string name;
  std::uint32_t shard;
  std::string bytes;
  bool operator==(Piece const&) const = default;
};
std::vector<Piece> pieces_of(SnapshotReader& reader) {
  std::vector<Piece> pieces;
  std::string_view name, bytes;
  std::uint32_t shard = 0;
  while (reader.next(name, shard, bytes)) {
    pieces.push_back({std::string(name), shard, std::string(bytes)});
  }
  EXPECT_FALSE(reader.next(name, shard, bytes));
  return pieces;
}
SnapshotHead const head{
    {{"Views", {}, {{"topic", 0x1234567890abcdef}}}}, 7, 1'795'000'000'000'000, false};

void write_small(std::filesystem::path const& path) {
  SnapshotFileWriter out(path, "w", head);
  SnapshotWriter& a = out.component("step PerPage");
  a.piece("cells", 3, std::string("\0\1\2", 3));
  a.piece("cells", 4, "");
  out.component("empty");
  out.component("clock").piece("p", 0, "12345678");
  out.complete();
  out.publish();
}
std::string content_of(std::filesystem::path const& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}
void put_content(std::filesystem::path const& path, std::string const& content) {
  std::ofstream(path, std::ios::binary) << content;
}
// The error's text; "" if the file is read to its end.
std::string error_of(std::filesystem::path const& path) {
  try {
    SnapshotFileReader in(path);
    return "";
  } catch (EnvironmentError const& error) {
    EXPECT_EQ(error.exit_code(), 74);
    return error.what();
  }
}

}  // namespace

TEST(SnapshotFileTest, ComponentsComeBackInOrderWithTheirPieces) {
  TemporaryDirectory directory;
  write_small(directory / "7");
  SnapshotFileReader in(directory / "7");
  EXPECT_EQ(in.head(), head);
  EXPECT_EQ(pieces_of(in.component("step PerPage")),
            (std::vector<Piece>{{"cells", 3, std::string("\0\1\2", 3)}, {"cells", 4, ""}}));
  EXPECT_TRUE(pieces_of(in.component("empty")).empty());
  EXPECT_EQ(pieces_of(in.component("clock")), (std::vector<Piece>{{"p", 0, "12345678"}}));
  in.finish();
}

TEST(SnapshotFileTest, ItHasItsNameOnlyOncePublished) {
  TemporaryDirectory directory;
  {
    SnapshotFileWriter out(directory / "7", "w", head);
    out.component("a").piece("p", 0, "x");
    EXPECT_FALSE(std::filesystem::exists(directory / "7"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));  // and leaves nothing if it never is
}

TEST(SnapshotFileTest, EveryFlippedByteAndEveryCutIsNamed) {
  TemporaryDirectory directory;
  std::filesystem::path const path = directory / "7";
  write_small(path);
  std::string const content = content_of(path);
  ASSERT_LT(content.size(), 500U);
  auto const put_byte = [&path](std::size_t at, char c) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);  // in place: fast
    file.seekp(static_cast<std::streamoff>(at)).put(c);
  };
  for (std::size_t i = 0; i < content.size(); ++i) {
    for (char const flip : {'\x01', '\x80', '\xff'}) {
      put_byte(i, static_cast<char>(content[i] ^ flip));
      EXPECT_NE(error_of(path).find(path.string()), std::string::npos) << i;
    }
    put_byte(i, content[i]);
  }
  EXPECT_EQ(error_of(path), "");
  put_byte(content.size(), 'x');
  EXPECT_NE(error_of(path).find("bytes follow its end"), std::string::npos);
  for (std::size_t i = content.size(); i-- > 0;) {
    std::filesystem::resize_file(path, i);
    EXPECT_NE(error_of(path).find(path.string()), std::string::npos) << i;
  }
}

TEST(SnapshotFileTest, ALostOrDoubledFrameIsNamed) {
  TemporaryDirectory directory;
  SnapshotFileWriter out(directory / "7", "w", head);
  SnapshotWriter& a = out.component("a");
  for (char const c : {'x', 'y', 'x'}) {
    a.piece("p", 0, std::string(1, c));
  }
  out.complete();
  out.publish();
  std::string const content = content_of(directory / "7");
  std::size_t const first = content.find("\x02\x01");  // kind piece, name of one byte
  ASSERT_NE(first, std::string::npos);
  std::size_t const frame = content.find("\x02\x01", first + 1) - first;
  std::size_t const at = first - 8;
  put_content(directory / "7", content.substr(0, at) + content.substr(at + frame));
  EXPECT_NE(error_of(directory / "7"), "");
  put_content(directory / "7", content.substr(0, at + frame) + content.substr(at));
  EXPECT_NE(error_of(directory / "7"), "");
  std::string swapped = content;
  swapped.replace(at, frame, content.substr(at + frame, frame));
  swapped.replace(at + frame, frame, content.substr(at, frame));
  put_content(directory / "7", swapped);
  EXPECT_NE(error_of(directory / "7"), "");
}

TEST(SnapshotFileTest, AnotherComponentOrUnreadPiecesAreRefused) {
  TemporaryDirectory directory;
  write_small(directory / "7");
  {
    SnapshotFileReader in(directory / "7");
    EXPECT_THROW(in.component("clock"), EnvironmentError);
  }
  {
    SnapshotFileReader in(directory / "7");
    in.component("step PerPage");
    EXPECT_THROW(in.component("empty"), EnvironmentError);
  }
  {
    SnapshotFileReader in(directory / "7");
    pieces_of(in.component("step PerPage"));
    EXPECT_THROW(in.finish(), EnvironmentError);
    pieces_of(in.component("empty"));
    pieces_of(in.component("clock"));
    EXPECT_THROW(in.component("more"), EnvironmentError);
    in.finish();
  }
}

TEST(SnapshotFileTest, AFileThatIsNotThereOrCannotBeMadeIsAnErrorOfTheWorld) {
  TemporaryDirectory directory;
  EXPECT_NE(error_of(directory / "none").find("No such file"), std::string::npos);
  EXPECT_THROW(SnapshotFileWriter(directory / "none" / "7", "w", head), EnvironmentError);
}

TEST(SnapshotFileTest, ADictionaryTravelsThroughIt) {
  TemporaryDirectory directory;
  KeyDictionary dictionary;
  std::string_view const key = "a key that does not fit its slot";
  std::uint64_t const hash = hash_of(key);
  KeyId id = 0;
  dictionary.intern(shard_of_hash(hash), {&key, 1}, {&hash, 1}, 1, false, {&id, 1});
  SnapshotFileWriter out(directory / "1", "w", head);
  dictionary.snapshot(out.component("keys"));
  out.complete();
  out.publish();
  KeyDictionary restored;
  SnapshotFileReader in(directory / "1");
  restored.restore(in.component("keys"));
  in.finish();
  EXPECT_EQ(restored.bytes_of(id), key);
}

TEST(SnapshotFileTest, PiecesOfEverySizeComeBack) {
  TemporaryDirectory directory;
  std::vector<Piece> expected;
  SnapshotFileWriter out(directory / "1", "w", head);
  SnapshotWriter& pieces = out.component("sizes");
  for (std::size_t const size :
       {0U, 1U, 31U, 32U, 33U, (1U << 20U) - 1, 1U << 20U, (1U << 21U) + 1}) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) {
      bytes[i] = static_cast<char>(i * 7 + size);
    }
    expected.push_back({std::to_string(size), 15, bytes});
    pieces.piece(expected.back().name, 15, bytes);
  }
  out.complete();
  out.publish();
  SnapshotFileReader in(directory / "1");
  EXPECT_EQ(pieces_of(in.component("sizes")), expected);
  in.finish();
}

}  // namespace windrow
