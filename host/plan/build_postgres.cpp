// WriteToPostgres: where it writes and as whom (semantics.md 16.3, connectors.md 4.7).
#include <fmt/format.h>

#include "host/plan/graph_builder.hpp"
#include "host/plan/secrets.hpp"

namespace windrow {

bool GraphBuilder::write_to_postgres(Work& work) {
  WriteToPostgres config;
  config.table = work.keys.text("table");
  config.username = work.keys.text("username");
  config.create_table = work.keys.boolean("create_table");
  for (YamlNode const* const node : work.keys.texts("connection_init_sql")) {
    config.connection_init_sql.push_back(node->text);
  }
  YamlNode const* const url = work.keys.find("url");
  YamlNode const* const table = work.keys.find("table");
  YamlNode const* const password = work.keys.find("password");
  if (url != nullptr) {
    config.url = url->text.substr(url->text.starts_with("jdbc:") ? 5 : 0);
    check_postgres_url(*url, config.url);
  }
  if (password != nullptr && password->is_scalar()) {
    note_plain_secret(context_, "password", *password);
    config.password = Secret{password->text};
  } else if (password != nullptr) {
    config.password = read_secret(context_, "password", *password).value_or(Secret{});
  }
  config.upsert = upsert(work);
  if (table != nullptr) {
    std::string_view const name = config.table;
    std::size_t const dot = name.find('.');
    bool const two = dot != std::string_view::npos;
    if (name.empty() || dot == 0 || (two && (dot + 1 == name.size() || name.rfind('.') != dot))) {
      report_.add("E141", *table,
                  fmt::format("'table' must be a name or schema.name, is '{}'", name));
    }
    spaces_.push_back({"table", config.url + '\n' + config.table, config.upsert.id_prefix,
                       work.written.label, table});
  }
  work.out.config = std::move(config);
  return true;
}

void GraphBuilder::check_postgres_url(YamlNode const& node, std::string const& url) {
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://")) {
    report_.add("E141", node, "'url' must begin with postgresql:// or jdbc:postgresql://");
    return;
  }
  auto const& fault_of = context_.options.postgres_url_fault;
  if (std::optional<std::string> const fault = fault_of ? fault_of(url) : std::nullopt) {
    report_.add("E141", node, fmt::format("'url' must be a URI of PostgreSQL: {}", *fault));
  } else if (!passwords_in(url).empty() && !node.replaced) {
    report_.add(
        "W214", node,
        "'url' holds a password in plain text: write password: {env: NAME} or {file: PATH}");
  }
}

}  // namespace windrow
