// The block at the bottom of a terminal, and what is written above it.
#include "host/cli/stderr_sink.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>

namespace windrow::cli {
namespace {

using Lines = std::vector<std::string>;

// A terminal in place of stderr while it lives.
class Terminal {
 public:
  Terminal(unsigned short rows, unsigned short columns) : before_(::dup(STDERR_FILENO)) {
    int inside = -1;
    EXPECT_EQ(::openpty(&outside_, &inside, nullptr, nullptr, nullptr), 0);
    ::dup2(inside, STDERR_FILENO);
    ::close(inside);
    ::fcntl(outside_, F_SETFL, O_NONBLOCK);
    resize(rows, columns);
  }
  ~Terminal() {
    ::dup2(before_, STDERR_FILENO);
    ::close(before_);
    ::close(outside_);
  }
  Terminal(Terminal const&) = delete;  // there is one stderr
  Terminal& operator=(Terminal const&) = delete;

  void resize(unsigned short rows, unsigned short columns) const {
    winsize const size{rows, columns, 0, 0};
    ::ioctl(outside_, TIOCSWINSZ, &size);
  }
  // What came since the last time; lines end as the program wrote them.
  [[nodiscard]] std::string written() const {
    std::string text;
    std::array<char, 4096> bytes{};
    for (ssize_t size = 0; (size = ::read(outside_, bytes.data(), bytes.size())) > 0;) {
      text.append(bytes.data(), static_cast<std::size_t>(size));
    }
    for (std::size_t at = 0; (at = text.find("\r\n", at)) != std::string::npos;) {
      text.erase(at, 1);
    }
    return text;
  }

 private:
  int before_, outside_ = -1;
};

std::string drawn(std::string const& lines) { return "\033[?7l" + lines + "\033[?7h"; }

}  // namespace

TEST(StderrSinkTest, LongLinesGoOnIndentedAndBreakBetweenWords) {
  EXPECT_EQ(laid_out({"short", "12345678 abcdefgh ijkl"}, 20, 10),
            (Lines{"short", "12345678 abcdefgh", "    ijkl"}));
  EXPECT_EQ(laid_out({"one two three"}, 13, 10), Lines{"one two three"});
  EXPECT_EQ(laid_out({"one two three four"}, 13, 10), (Lines{"one two three", "    four"}));
  EXPECT_EQ(laid_out({"one two three four"}, 14, 10), (Lines{"one two three", "    four"}));
  EXPECT_EQ(laid_out({"  abcdefghijkl"}, 10, 10), (Lines{"  abcdefgh", "    ijkl"}));
  EXPECT_EQ(laid_out({"abcdefghijklmnopqrstuvwxyz"}, 10, 10),
            (Lines{"abcdefghij", "    klmnop", "    qrstuv", "    wxyz"}));
  EXPECT_EQ(laid_out({"ab cdefghi"}, 3, 10), (Lines{"ab", "cde", "fgh", "i"}));
  EXPECT_EQ(laid_out({"abc"}, 0, 10), (Lines{"a", "b", "c"}));
}

TEST(StderrSinkTest, NoMoreLinesThanTheScreenHas) {
  EXPECT_EQ(laid_out({"1", "2", "3"}, 10, 2), (Lines{"1", "2"}));
  EXPECT_EQ(laid_out({"1"}, 10, 0), Lines{});
}

TEST(StderrSinkTest, CharactersAreCountedAndKeptWholeAndEscapesAreBlanks) {
  EXPECT_EQ(laid_out({"ääääää öööö"}, 8, 10), (Lines{"ääääää", "öööö"}));
  EXPECT_EQ(laid_out({"äöüäöüäöüä"}, 6, 10), (Lines{"äöüäöü", "äöüä"}));
  EXPECT_EQ(laid_out({"a\033[31mb\nc\td"}, 20, 10), Lines{"a [31mb c d"});
}

TEST(StderrSinkTest, WhatIsWrittenStandsAboveTheBlock) {
  Terminal const terminal(24, 80);
  StderrSink sink;
  sink.write_above("before\n");
  EXPECT_EQ(terminal.written(), "before\n");
  sink.draw_block({"one", "two"});
  EXPECT_EQ(terminal.written(), drawn("one\ntwo\n"));
  sink.write_above("text\n");
  EXPECT_EQ(terminal.written(), "\r\033[2A\033[Jtext\n" + drawn("one\ntwo\n"));
  sink.draw_block({"three"});
  EXPECT_EQ(terminal.written(), "\r\033[2A\033[J" + drawn("three\n"));
  sink.draw_block({});
  EXPECT_EQ(terminal.written(), "\r\033[1A\033[J");
  sink.write_above("after\n");
  EXPECT_EQ(terminal.written(), "after\n");
}

TEST(StderrSinkTest, ABlockIsErasedWholeAfterTheTerminalBecameNarrower) {
  Terminal const terminal(24, 80);
  StderrSink sink;
  std::string const line(70, 'x');
  sink.draw_block({line, "y"});
  EXPECT_EQ(terminal.written(), drawn(line + "\ny\n"));
  terminal.resize(24, 40);  // which has broken the first line in two
  sink.write_above("text\n");
  EXPECT_EQ(terminal.written(), "\r\033[3A\033[Jtext\n" + drawn(std::string(39, 'x') + "\n    " +
                                                                std::string(31, 'x') + "\ny\n"));
  terminal.resize(3, 100);
  sink.draw_block({line, "y", "z"});
  EXPECT_EQ(terminal.written(), "\r\033[3A\033[J" + drawn(line + "\ny\n"));
}

}  // namespace windrow::cli
