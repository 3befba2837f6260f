#include "host/cli/json_text.hpp"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

namespace windrow::cli {

struct JsonText::Impl {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer{buffer};
  rapidjson::PrettyWriter<rapidjson::StringBuffer>& at(char const* key) {
    if (key != nullptr) {
      writer.Key(key);
    }
    return writer;
  }
};

JsonText::JsonText() : impl_(std::make_unique<Impl>()) {}
JsonText::~JsonText() = default;

void JsonText::begin_object(char const* key) { impl_->at(key).StartObject(); }
void JsonText::end_object() { impl_->writer.EndObject(); }
void JsonText::begin_list(char const* key) { impl_->at(key).StartArray(); }
void JsonText::end_list() { impl_->writer.EndArray(); }
void JsonText::put(char const* key, std::string_view v) {
  impl_->at(key).String(v.data(), static_cast<rapidjson::SizeType>(v.size()));
}
void JsonText::put(char const* key, bool v) { impl_->at(key).Bool(v); }
void JsonText::put(char const* key, std::int64_t v) { impl_->at(key).Int64(v); }
void JsonText::put(char const* key, std::uint64_t v) { impl_->at(key).Uint64(v); }
void JsonText::put_null(char const* key) { impl_->at(key).Null(); }

std::string JsonText::text() const {
  return std::string(impl_->buffer.GetString(), impl_->buffer.GetSize()) + "\n";
}

}  // namespace windrow::cli
