// Result<T>: a value or an Error. Errors are values in this library: no exception leaves it.
// Thread-safety: as a plain value. An Error names the thing that is wrong and says what to do about
// it.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "rvf/error.hpp"

namespace rvf {

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::kOk;
  std::string message;
  uint64_t segment_id = 0;  // 0: not about one segment
  uint64_t file_offset = 0;  // bytes from the start of the file; 0: unknown

  Error(ErrorCode c, std::string m, uint64_t segment = 0, uint64_t offset = 0)
      : code(c), message(std::move(m)), segment_id(segment), file_offset(offset) {}
};

// Usage:
//   Result<int> r = parse(...);
//   if (!r) return r.error();
//   use(*r);
// Of a Result<bool> ask ok(): as a condition it could be read as its value.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept
    requires(!std::is_same_v<T, bool>)
  {
    return ok();
  }
  T& operator*() & { return *std::get_if<0>(&state_); }
  const T& operator*() const& { return *std::get_if<0>(&state_); }
  T&& operator*() && { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() { return std::get_if<0>(&state_); }
  const T* operator->() const { return std::get_if<0>(&state_); }
  const Error& error() const& { return *std::get_if<1>(&state_); }
  Error&& error() && { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace rvf

// Return early with the error of an expression that yields a Result.
#define RVF_CONCAT_(a, b) a##b
#define RVF_CONCAT(a, b) RVF_CONCAT_(a, b)
#define RVF_TRY(expr)                                   \
  do {                                                  \
    if (auto rvf_status_ = (expr); !rvf_status_.ok()) { \
      return std::move(rvf_status_).error();            \
    }                                                   \
  } while (false)
#define RVF_ASSIGN(decl, expr) RVF_ASSIGN_(RVF_CONCAT(rvf_result_, __LINE__), decl, expr)
#define RVF_ASSIGN_(tmp, decl, expr)            \
  auto tmp = (expr);                            \
  if (!tmp.ok()) return std::move(tmp).error(); \
  decl = *std::move(tmp)
