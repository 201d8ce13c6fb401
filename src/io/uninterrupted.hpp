// A signal that is handled meanwhile ends some system calls before they have done anything; then
// they are simply called again. For calls that return -1 and set errno.
#pragma once
#include <cerrno>

namespace rvf::io {

template <class SystemCall>
auto uninterrupted(SystemCall call) {
  while (true) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

}  // namespace rvf::io
