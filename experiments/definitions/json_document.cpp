#include "experiments/definitions/json_document.hpp"

#include <charconv>
#include <cmath>
#include <memory>
#include <optional>

#include "experiments/errors.hpp"

namespace experiments {
namespace {

constexpr int kMostLevels = 64;

class Reader {
 public:
  Reader(std::string_view text, const std::string& source)
      : text_(text), source_(std::make_shared<const std::string>(source)) {}

  Value document() {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
    std::optional<Value> value = read(0);
    blanks();
    if (at_ < text_.size()) fail("something follows the document's end");
    return value ? std::move(*value) : Value::table_at(place());
  }

 private:
  Place place() const { return {source_, line_, static_cast<std::uint32_t>(at_ - line_begin_ + 1)}; }
  [[noreturn]] void fail(const std::string& what) const {
    throw BadScenario(place(), "", "no JSON: " + what);
  }

  void blanks() {
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c != ' ' && c != '\t' && c != '\r' && c != '\n') return;
      if (c != '\n') continue;
      ++line_;
      line_begin_ = at_ + 1;
    }
  }
  char peek() {
    blanks();
    if (at_ == text_.size()) fail("it ends too early");
    return text_[at_];
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  /// Nothing: null.
  std::optional<Value> read(int level) {
    if (level > kMostLevels) fail("a value is nested too deeply");
    const char first = peek();
    const Place here = place();
    Value out;
    if (first == '{') {
      out = table(level);
    } else if (first == '[') {
      out = array(level);
    } else if (first == '"') {
      out = Value::of(string());
    } else if (take_word("true")) {
      out = Value::of(true);
    } else if (take_word("false")) {
      out = Value::of(false);
    } else if (take_word("null")) {
      return std::nullopt;
    } else {
      out = number();
    }
    out.place = out.key_place = here;
    return out;
  }

  Value table(int level) {
    Value out = Value::table_at(place());
    ++at_;
    if (take('}')) return out;
    do {
      if (peek() != '"') fail("a key in double quotes belongs here");
      const Place key_place = place();
      std::string key = string();
      if (!take(':')) fail("a colon belongs here");
      if (out.find(key) != nullptr) throw BadScenario(key_place, "", "no JSON: the same key twice");
      if (std::optional<Value> value = read(level + 1)) {
        value->key_place = key_place;
        out.members.emplace_back(std::move(key), std::move(*value));
      }
    } while (take(','));
    if (!take('}')) fail("a comma or '}' belongs here");
    return out;
  }

  Value array(int level) {
    Value out = Value::array_at(place());
    ++at_;
    if (take(']')) return out;
    do {
      if (std::optional<Value> value = read(level + 1)) out.items.push_back(std::move(*value));
    } while (take(','));
    if (!take(']')) fail("a comma or ']' belongs here");
    return out;
  }

  Value number() {
    const std::size_t end = std::min(text_.find_first_not_of("+-0123456789.eE", at_), text_.size());
    const std::string_view word = text_.substr(at_, end - at_);
    if (word.empty()) fail("a value belongs here");
    const char* const last = word.data() + word.size();
    std::int64_t whole = 0;
    if (const auto [stop, error] = std::from_chars(word.data(), last, whole);
        error == std::errc{} && stop == last) {
      at_ = end;
      return Value::of(whole);
    }
    double real = 0;
    const auto [stop, error] = std::from_chars(word.data(), last, real);
    if (error != std::errc{} || stop != last || !std::isfinite(real)) fail("a number belongs here");
    at_ = end;
    return Value::of(real);
  }

  std::string string() {
    std::string out;
    for (++at_;;) {
      if (at_ == text_.size()) fail("a text does not end");
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) fail("a text holds a control character");
      ++at_;
      if (c == '"') return out;
      if (c == '\\')
        escape(out);
      else
        out += c;
    }
  }

  void escape(std::string& out) {
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeant = "\"\\/\b\f\n\r\t";
    const char c = at_ < text_.size() ? text_[at_++] : '\0';
    if (const std::size_t known = kNames.find(c); c != '\0' && known != std::string_view::npos) {
      out += kMeant[known];
      return;
    }
    if (c != 'u') fail("an unknown escape");
    std::uint32_t code = unit();
    if (code >= 0xDC00 && code < 0xE000) fail("half of a surrogate pair");
    if (code >= 0xD800 && code < 0xDC00) {
      if (!take_word("\\u")) fail("half of a surrogate pair");
      const std::uint32_t low = unit();
      if (low < 0xDC00 || low >= 0xE000) fail("half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
    }
    utf8(code, out);
  }

  std::uint32_t unit() {
    std::uint32_t code = 0;
    const std::string_view digits = text_.substr(at_, 4);
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (error != std::errc{} || digits.size() != 4 || stop != digits.data() + 4)
      fail("four hex digits belong here");
    at_ += 4;
    return code;
  }

  static void utf8(std::uint32_t code, std::string& out) {
    const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (code < 0x80) return put(code);
    if (code < 0x800) {
      put(0xC0U | code >> 6U);
    } else if (code < 0x10000) {
      put(0xE0U | code >> 12U);
      put(0x80U | (code >> 6U & 0x3FU));
    } else {
      put(0xF0U | code >> 18U);
      put(0x80U | (code >> 12U & 0x3FU));
      put(0x80U | (code >> 6U & 0x3FU));
    }
    put(0x80U | (code & 0x3FU));
  }

  std::string_view text_;
  std::shared_ptr<const std::string> source_;
  std::size_t at_ = 0;
  std::size_t line_begin_ = 0;
  std::uint32_t line_ = 1;
};

}  // namespace

Value parse_json_document(std::string_view text, const std::string& source_name) {
  return Reader(text, source_name).document();
}

}  // namespace experiments
