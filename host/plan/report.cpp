#include "host/plan/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "host/model/portable.hpp"
#include "host/plan/codes.hpp"
#include "host/plan/suggestion.hpp"

namespace windrow {
namespace {

// As long as what it hides, so that carets stay where they are.
void blacken(std::string& text, std::string const& secret) {
  for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    text.replace(at, secret.size(), std::string(secret.size(), '*'));
  }
}

// Of key paths: a.b.c and a.b[0] lie inside of a.b, a.bc does not.
bool is_inside(std::string const& path, std::string const& owner) {
  return path.size() > owner.size() && path.compare(0, owner.size(), owner) == 0 &&
         (path[owner.size()] == '.' || path[owner.size()] == '[');
}

}  // namespace

std::uint8_t Report::add_text(std::string name, std::vector<std::string> lines) {
  texts_.push_back({std::move(name), std::move(lines)});
  return static_cast<std::uint8_t>(texts_.size() - 1);
}

void Report::hide(std::string secret) {
  if (!secret.empty()) {
    secrets_.push_back(std::move(secret));
  }
}

void Report::add(std::string_view code, YamlNode const& at, std::string text,
                 std::string suggestion) {
  add_at(code, at.source, at.at, at.length, at.path, std::move(text), std::move(suggestion));
}

void Report::add_inside(std::string_view code, YamlNode const& at, std::size_t offset,
                        std::size_t length, std::string text, std::string suggestion) {
  if (!at.verbatim) {
    add(code, at, std::move(text), std::move(suggestion));
    return;
  }
  Position const place{at.at.line, at.at.column + at.opening + static_cast<int>(offset)};
  add_at(code, at.source, place, std::max(1, static_cast<int>(length)), at.path, std::move(text),
         std::move(suggestion));
}

void Report::add_at(std::string_view code, std::uint8_t source, Position at, int length,
                    std::string path, std::string text, std::string suggestion) {
  CodeEntry const* const entry = find_code(code);
  WINDROW_ASSERT(entry != nullptr && entry->waits_for.empty(),
                 "a finding needs a code of the table");
  Finding finding = placed(source, at, length, std::move(path), std::move(text));
  finding.severity = code[0] == 'W' ? Severity::warning : Severity::error;
  finding.code = code;
  finding.suggestion = std::move(suggestion);
  findings_.emplace_back(source, std::move(finding));
}

void Report::add_on_beam(OnBeam what, YamlNode const& at, std::string text, std::string own_key) {
  if (at.source != 0) {
    return;
  }
  if (!own_key.empty()) {
    windrow_keys_.insert(std::move(own_key));
  }
  // Of a transform or an aggregate its type is named, and all of it is meant.
  std::string path = at.path;
  if (what == OnBeam::refused && path.ends_with(".type")) {
    path.erase(path.size() - 5);
  }
  Finding finding = placed(at.source, at.at, at.length, std::move(path), std::move(text));
  finding.severity = Severity::beam;
  finding.code = what == OnBeam::refused   ? "refused"
                 : what == OnBeam::ignored ? "ignored"
                                           : "differs";
  on_beam_.emplace_back(at.source, std::move(finding));
}

Finding Report::placed(std::uint8_t source, Position at, int length, std::string path,
                       std::string text) const {
  Finding finding;
  finding.file = texts_[source].name;
  finding.line = at.line;
  finding.column = at.column;
  finding.text = std::move(text);
  finding.path = std::move(path);
  finding.length = length;
  auto const line = static_cast<std::size_t>(at.line - 1);
  if (line < texts_[source].lines.size()) {
    finding.source_line = texts_[source].lines[line];
  }
  return finding;
}

std::string Report::place_of(YamlNode const& node) const {
  return fmt::format("{}:{}:{}", texts_[node.source].name, node.at.line, node.at.column);
}

std::vector<Finding> Report::take() { return sorted(findings_); }

std::vector<Finding> Report::take_on_beam() {
  std::vector<Finding> all = sorted(on_beam_);
  std::vector<std::string> owners;  // key paths of what is refused or ignored as a whole
  for (Finding const& finding : all) {
    if (finding.code != "differs") {
      owners.push_back(finding.path);
    }
  }
  std::erase_if(all, [&](Finding const& finding) {
    return std::any_of(owners.begin(), owners.end(),
                       [&](std::string const& owner) { return is_inside(finding.path, owner); });
  });
  return all;
}

std::vector<Finding> Report::sorted(Placed& findings) const {
  // Errors of one place before its warnings; the order of discovery breaks ties.
  std::stable_sort(findings.begin(), findings.end(), [](auto const& a, auto const& b) {
    return std::tie(a.first, a.second.line, a.second.column) <
           std::tie(b.first, b.second.line, b.second.column);
  });
  std::vector<Finding> out;
  for (auto& [source, finding] : findings) {
    for (std::string const& secret : secrets_) {
      blacken(finding.source_line, secret);
      blacken(finding.text, secret);
      blacken(finding.suggestion, secret);
    }
    bool const again = std::any_of(out.begin(), out.end(), [&f = finding](Finding const& o) {
      return o.code == f.code && o.file == f.file && o.line == f.line && o.column == f.column &&
             o.text == f.text;
    });
    if (!again) {
      out.push_back(std::move(finding));
    }
  }
  findings.clear();
  return out;
}

std::string did_you_mean(std::string_view word, std::span<std::string const> names) {
  std::string const name = nearest(word, names);
  return name.empty() ? std::string{} : fmt::format("did you mean '{}'?", name);
}

}  // namespace windrow
