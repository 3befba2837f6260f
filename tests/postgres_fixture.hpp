// What tests beside tests/postgres_server.sh share: a database that begins empty, and what it says.
#pragma once
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "sinks/postgres_sink.hpp"
#include "tests/sink_rows.hpp"

namespace windrow::test {

// A connection of the test's own.
class PostgresClient {
 public:
  explicit PostgresClient(std::string const& url) : handle_(PQconnectdb(url.c_str()), PQfinish) {
    if (PQstatus(handle_.get()) != CONNECTION_OK) {
      throw std::runtime_error(PQerrorMessage(handle_.get()));
    }
    PQsetNoticeProcessor(
        handle_.get(), [](void*, char const*) {}, nullptr);
  }
  // All rows as text, columns joined by '|', rows by ' '; NULL is '-'.
  std::string ask(std::string const& sql) {
    std::unique_ptr<PGresult, void (*)(PGresult*)> const result(PQexec(handle_.get(), sql.c_str()),
                                                                PQclear);
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK &&
        PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
      throw std::runtime_error(PQerrorMessage(handle_.get()));
    }
    std::string out;
    for (int row = 0; row < PQntuples(result.get()); ++row) {
      out += row == 0 ? "" : " ";
      for (int i = 0; i < PQnfields(result.get()); ++i) {
        out += i == 0 ? "" : "|";
        out += PQgetisnull(result.get(), row, i) != 0 ? "-" : PQgetvalue(result.get(), row, i);
      }
    }
    return out;
  }

 private:
  std::unique_ptr<PGconn, void (*)(PGconn*)> handle_;
};

class PostgresTest : public ::testing::Test {
 protected:
  void SetUp() override { ask("DROP SCHEMA public CASCADE; CREATE SCHEMA public"); }
  static std::string url() {
    char const* const url = std::getenv("POSTGRES_URL");
    if (url == nullptr) {
      throw std::runtime_error("run me by tests/postgres_server.sh");
    }
    return url;
  }
  static std::string ask(std::string const& sql) { return PostgresClient(url()).ask(sql); }
  static PostgresSettings settings(bool create = true) {
    PostgresSettings out;
    out.name = "counts";
    out.login.url = url();
    out.table = "views 5m";
    out.create_table = create;
    return out;
  }
  static std::unique_ptr<PostgresSink> opened(PostgresSettings const& settings,
                                              bool upsert = true) {
    auto sink = std::make_unique<PostgresSink>(settings, counts_schema(upsert));
    sink->open();
    return sink;
  }
  static std::unique_ptr<PostgresSink> opened(bool upsert = true) {
    return opened(settings(), upsert);
  }
};

}  // namespace windrow::test
