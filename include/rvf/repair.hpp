// Saves what is left of a damaged store into a new one. The old file is only read.
//
// Everything is taken whose checksum holds: vectors with their ids, string ids, fields, attachments,
// deletions. The newest directory that still reads says what belonged to the store; segments that
// were written after it, or all of them where there is none, are found by their headers and taken in
// the order of writing. The report names what is lost.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rvf/executor.hpp"
#include "rvf/result.hpp"

namespace rvf {

namespace io {
class FileSystem;
}

struct RepairOptions {
  bool index = true;  // with a graph, where there are enough vectors
  std::shared_ptr<Executor> executor = nullptr;
  // Bytes of the old file; asked on, without more of them, while the new one is written.
  const Progress* progress = nullptr;
  bool survive_lost_pages = false;  // as OpenOptions has it
  std::shared_ptr<io::FileSystem> file_system = nullptr;
};

struct LostSegment {
  uint64_t segment_id = 0;
  uint8_t type = 0;
  uint64_t offset = 0;  // of its header in the old file
  uint64_t bytes = 0;  // of its payload
  uint64_t rows = 0;  // of a VEC: live vectors that are lost with it
  uint64_t first_id = 0, last_id = 0;  // of a VEC: the range that their ids lie in
  std::string reason;
};

enum class RepairOutcome : uint8_t {
  kWhole,  // all of the newest commit
  kPartial,  // something, see lost and notes
  kNothing,  // no vector and no attachment; there is no new file
};
const char* repair_outcome_name(RepairOutcome outcome) noexcept;  // "whole", "partial", "nothing"

struct RepairReport {
  RepairOutcome outcome = RepairOutcome::kNothing;
  bool has_directory = false;
  uint32_t epoch = 0;  // of the directory that was used
  uint64_t vectors = 0;  // in the new store
  uint64_t attachments = 0;
  uint64_t vectors_lost = 0;  // as far as a directory tells
  uint64_t segments_after_directory = 0;  // taken by their headers alone
  uint64_t bytes_read = 0;
  std::vector<LostSegment> lost;
  std::vector<std::string> notes;  // a line each, for people
};

// Errors: kNoSuchFile, kAlreadyExists (`to` is never replaced), kNotAStore (no RVF segment in it, or
// another layout, which `rvf convert` reads), those of reading and writing. A store of which nothing
// is left is no error: the report says so.
Result<RepairReport> repair(const std::string& from, const std::string& to,
                            const RepairOptions& options = {});

}  // namespace rvf
