// A value that copies share until one of them is written.
// Its own count, read with acquire order, and not that of a shared_ptr, which is read relaxed: who
// finds itself the only owner must also see that the reads of the former owners are over.
// Thread-safety: as a plain value; a copy may be read while another copy is written.
#pragma once
#include <atomic>
#include <cstdint>
#include <utility>

namespace rvf::index {

template <class T>
class CopyOnWrite {
 public:
  CopyOnWrite() noexcept = default;
  CopyOnWrite(const CopyOnWrite& o) noexcept : body_(o.body_) {
    if (body_ != nullptr) body_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  CopyOnWrite(CopyOnWrite&& o) noexcept : body_(std::exchange(o.body_, nullptr)) {}
  CopyOnWrite& operator=(CopyOnWrite o) noexcept {
    std::swap(body_, o.body_);
    return *this;
  }
  ~CopyOnWrite() {
    if (body_ != nullptr && body_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete body_;
    }
  }

  const T* get() const noexcept { return body_ != nullptr ? &body_->value : nullptr; }
  // This copy's own value; value-initialised where there was none.
  T& writable() {
    if (body_ == nullptr) {
      body_ = new Body;
    } else if (body_->owners.load(std::memory_order_acquire) > 1) {
      CopyOnWrite own;
      own.body_ = new Body;
      own.body_->value = body_->value;
      std::swap(body_, own.body_);
    }
    return body_->value;
  }

 private:
  struct Body {
    std::atomic<uint32_t> owners = 1;
    T value = {};
  };
  Body* body_ = nullptr;
};

}  // namespace rvf::index
