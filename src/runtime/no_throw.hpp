// Where exceptions end and errors begin. Inside the library only running out of memory throws; each
// public function turns that into kOutOfMemory here, once.
// Thread-safety: as the functions that are called.
#pragma once
#include <new>
#include <stdexcept>
#include <utility>

#include "rvf/result.hpp"

namespace rvf::runtime {

// The text must not need memory, so it is one that a std::string keeps in itself.
inline Error out_of_memory() noexcept { return {ErrorCode::kOutOfMemory, "out of memory"}; }

// What `body` returns, a Result or a Status. A callback's own exceptions pass through.
template <class Body>
auto no_throw(Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::length_error&) {  // more than a container can hold at all
    return out_of_memory();
  }
}

// Runs `undo` at the end of the scope unless keep() was called.
template <class Undo>
class [[nodiscard]] Unless {
 public:
  explicit Unless(Undo undo) : undo_(std::move(undo)) {}
  ~Unless() {
    if (!kept_) undo_();
  }
  Unless(const Unless&) = delete;
  Unless& operator=(const Unless&) = delete;
  void keep() noexcept { kept_ = true; }

 private:
  Undo undo_;
  bool kept_ = false;
};

}  // namespace rvf::runtime
