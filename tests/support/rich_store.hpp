// A small store that holds all that stores hold, and everything it answers, as text, so that two
// files can be compared by what a user sees of them.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/file.hpp"
#include "rvf/store.hpp"

namespace rvf::testing {

// By question. An answer that is an error begins with kErrorMark: refusing is never wrong.
using Answers = std::map<std::string, std::string>;
inline constexpr char kErrorMark = '!';

Answers answers_of(const Store& store, const Snapshot& snapshot);

// The first question that both answer, and differently; empty if there is none. `errors` counts
// those that `actual` refuses and `expected` does not.
std::string contradiction(const Answers& expected, const Answers& actual, size_t* errors = nullptr);

inline constexpr uint32_t kRichDim = 12;

struct RichStore {
  std::string path = "rich.rvf";
  std::shared_ptr<io::FileSystem> fs;
  std::vector<std::byte> bytes;
  std::map<uint32_t, Answers> states;  // of every epoch since the compaction, the newest last

  const Answers& newest() const { return states.rbegin()->second; }
  uint32_t epoch() const { return states.rbegin()->first; }
};

// Vectors in several segments and three tiers, string ids, fields of six types with value and word
// indexes, updates, deletions, attachments; compacted once and written on since.
RichStore make_rich_store();

// 4,200 rows of four bytes with a graph, its node blocks, deletions and rows outside the graph.
RichStore make_graph_store();

// The same, made once a program; not to be changed.
const RichStore& rich();
const RichStore& graph();

// Where each segment of the file begins, and what it is, dead ones included.
struct Place {
  uint64_t offset = 0;
  uint64_t end = 0;  // with padding
  uint8_t type = 0;
  uint64_t segment_id = 0;
};
std::vector<Place> places_of(const std::vector<std::byte>& bytes);

}  // namespace rvf::testing
