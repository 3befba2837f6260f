// Fork and join: the one pool of threads for heavy work within a batch.
#pragma once
#include <cstddef>
#include <memory>
#include <type_traits>

namespace windrow {

class Workers {
 public:
  // `threads` counts the caller, which works too; 1 starts none.
  explicit Workers(unsigned threads);
  ~Workers();
  Workers(Workers const&) = delete;  // owns threads
  Workers& operator=(Workers const&) = delete;
  // Calls body(i) for each i < n, in any order, from any thread, and returns when all are done. Not
  // nested.  The first exception is thrown again here after the join; indexes not yet begun are
  // skipped.
  template <class Body>
  void for_each(std::size_t n, Body&& body) {
    run(n, &body,
        [](void* b, std::size_t i) { (*static_cast<std::remove_reference_t<Body>*>(b))(i); });
  }
  [[nodiscard]] unsigned threads() const;

 private:
  void run(std::size_t n, void* body, void (*call)(void*, std::size_t));
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windrow
