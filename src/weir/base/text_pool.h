#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace weir {

// Texts that many hold, each kept once, as long as somebody holds it. Not thread-safe.
class TextPool {
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  struct Holders {
    TextPool* pool;
    uint32_t count;
  };
  using Texts = std::unordered_map<std::string, Holders, Hash, std::equal_to<>>;
  using Entry = Texts::value_type;  // stays where it is

 public:
  TextPool() = default;
  TextPool(const TextPool&) = delete;
  TextPool& operator=(const TextPool&) = delete;

  // Somebody's hold of a text; must not outlive the pool. Empty until set.
  class Held {
   public:
    Held() = default;
    Held(Held&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
    Held& operator=(Held&& other) noexcept {
      std::swap(entry_, other.entry_);
      return *this;
    }
    ~Held() { drop(); }

    // Valid as long as it is held.
    std::string_view text() const { return entry_ == nullptr ? std::string_view() : entry_->first; }
    void set(TextPool& pool, std::string_view text) {
      if (text == this->text()) return;
      drop();
      if (text.empty()) return;
      auto at = pool.texts_.find(text);
      if (at == pool.texts_.end()) at = pool.texts_.emplace(text, Holders{&pool, 0}).first;
      ++at->second.count;
      entry_ = &*at;
    }

   private:
    void drop() {
      if (entry_ != nullptr && --entry_->second.count == 0) {
        Texts& texts = entry_->second.pool->texts_;
        texts.erase(texts.find(entry_->first));
      }
      entry_ = nullptr;
    }
    Entry* entry_ = nullptr;
  };

  // How many texts are held.
  size_t size() const { return texts_.size(); }

 private:
  Texts texts_;
};

}  // namespace weir
