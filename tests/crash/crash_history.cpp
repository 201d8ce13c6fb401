#include "crash/crash_history.hpp"

#include <algorithm>
#include <string_view>

#include "types/segment.hpp"

namespace rvf::testing {
namespace {

bool is_attachment(const SegmentInfo& s) {
  return s.type >= 0xF0 && s.type != static_cast<uint8_t>(SegmentType::kFused);
}

// Opens the store of an image as a reader does and looks at everything in it.
std::string look(const std::shared_ptr<io::FileSystem>& fs, uint64_t verify_at_open, Shown& shown,
                 StoreStatus& status) {
  OpenOptions o;
  o.file_system = fs;
  o.verify_at_open = verify_at_open;
  auto store = Store::open_readonly(kStorePath, o);
  if (!store) return "does not open: " + store.error().message;
  status = store->status();
  auto snapshot = store->snapshot();
  if (!snapshot) return "has no snapshot: " + snapshot.error().message;
  shown = shown_of(*snapshot);
  const auto size = snapshot->size();
  if (!size || shown.model.size() != *size) return "counts its vectors wrongly";
  auto report = store->verify({.deep = true});
  if (!report) return "cannot be verified: " + report.error().message;
  if (!report->problems.empty()) return "is damaged: " + report->problems.front().message;
  return {};
}

// Writes on top of a recovered store; afterwards it must show what it showed before.
std::string write_and_look(const std::shared_ptr<io::FileSystem>& fs, const CheckOptions& options,
                           uint64_t verify_at_open, const Shown& before, uint32_t epoch_before) {
  OpenOptions o;
  o.file_system = fs;
  o.verify_at_open = verify_at_open;
  auto again = Store::open(kStorePath, o);
  if (!again) return "does not open for writing: " + again.error().message;
  const uint32_t dim = again->status().dimension;
  const std::vector<float> one(dim, 1.0F);
  const std::vector<uint64_t> id = {77777777};
  const std::vector<std::string> key = {"77777777"};
  const bool texts = again->status().id_kind == IdKind::kTexts;
  const Vectors vector = Vectors::from_f32(one, dim);
  if (auto s = texts ? again->ingest(vector, key, {}) : again->ingest(vector, id); !s) {
    return "cannot be written: " + s.error().message;
  }
  if (again->status().epoch <= epoch_before) return "gives an epoch number out twice";
  if (auto s = texts ? again->remove(key) : again->remove(id); !s)
    return "cannot be written: " + s.error().message;
  if (options.compact) {
    if (auto s = again->compact(); !s) return "cannot be compacted: " + s.error().message;
  }
  if (auto s = again->close(); !s) return "cannot be closed: " + s.error().message;
  Shown after;
  StoreStatus status;
  const std::string problem = look(fs, verify_at_open, after, status);
  if (!problem.empty()) return "after recovery it " + problem;
  if (status.recovery.recovered) return "recovers again after a commit";
  const std::string changed = difference(before, after);
  return changed.empty() ? changed : "shows something else after recovery: " + changed;
}

std::string create_anew(const std::shared_ptr<io::FileSystem>& fs) {
  OpenOptions o;
  o.file_system = fs;
  CreateOptions c;
  c.dimension = kLifeDim;
  auto made = Store::create(kStorePath, c, o);
  return made ? std::string() : "cannot be created anew: " + made.error().message;
}

}  // namespace

Shown shown_of(const Snapshot& snapshot) {
  Shown out;
  out.model = content_of(snapshot);
  for (const SegmentInfo& s : std::vector(*snapshot.segments())) {
    if (!is_attachment(s)) continue;
    auto payload = snapshot.payload(s.segment_id);
    std::string text(1, static_cast<char>(s.type));
    text += payload ? "" : payload.error().message;
    if (payload) text.append(reinterpret_cast<const char*>(payload->data()), payload->size());
    out.attached.push_back(std::hash<std::string>()(text));
  }
  std::sort(out.attached.begin(), out.attached.end());
  return out;
}

std::string difference(const Shown& expected, const Shown& actual) {
  const std::string d = difference(expected.model, actual.model);
  if (!d.empty()) return d;
  return expected.attached == actual.attached ? d : "the attachments differ";
}

void Life::create(CreateOptions create) {
  options_.file_system = fs_;
  if (create.dimension == 0) create.dimension = kLifeDim;
  auto made = Store::create(kStorePath, create, options_);
  if (!made) return fail(made.error().message);
  store_.emplace(std::move(*made));
  acknowledged(Durability::kSync);
}

void Life::open(Durability durability) {
  options_.file_system = fs_;
  options_.durability = durability;
  auto opened = Store::open(kStorePath, options_);
  if (!opened) return fail(opened.error().message);
  store_.emplace(std::move(*opened));
}

void Life::close() {
  auto shown = shown_of(*store_->snapshot());
  if (auto s = store_->close(); !s) return fail(s.error().message);
  store_.reset();
  states_.push_back(
      {fs_->size(), std::move(shown), true, options_.durability == Durability::kSync});
}

// Without closing, which would commit: the handle's later calls fail and leave no trace.
void Life::die() {
  fs_->stop();
  store_.reset();
  fs_->go_on();
}

void Life::acknowledged(Durability promised) {
  auto snapshot = store_->snapshot();
  if (!snapshot) return fail(snapshot.error().message);
  states_.push_back({fs_->size(), shown_of(*snapshot), promised != Durability::kNone,
                     promised == Durability::kSync});
}

void Life::ingest(size_t rows, std::span<const uint64_t> ids) {
  const uint32_t dim = store().status().dimension;
  const auto values = values_of(random_(), rows, dim);
  const Vectors vectors = Vectors::from_f32(values, dim);
  if (store().status().id_kind != IdKind::kTexts) return call(store().ingest(vectors, ids));
  std::vector<std::string> keys;
  for (size_t i = 0; i < rows; ++i) keys.push_back("more " + std::to_string(random_()));
  call(store().ingest(vectors, keys, {}));
}

std::string check_image(const Image& image, const Life& life, size_t events,
                        const CheckOptions& options) {
  const std::vector<State>& states = life.states();
  size_t floor = states.size();  // the newest state that must be there
  size_t under_way = 0;  // the state that the crash kept from being acknowledged
  for (; under_way < states.size() && states[under_way].event <= events; ++under_way) {
    const State& s = states[under_way];
    if (options.power_lost ? s.kept_if_powerless : s.kept_if_killed) floor = under_way;
  }
  const bool created = floor != states.size();
  const size_t last = std::min(under_way, states.size() - 1);

  auto fs = files_of(image);
  if (life.also) {
    if (std::string problem = life.also(fs, events, options.power_lost); !problem.empty())
      return problem;
  }
  if (!created && !image.contains(kStorePath)) return create_anew(fs);
  const uint64_t verify_at_open = options.believe_large_stores ? 0 : OpenOptions().verify_at_open;
  Shown once;
  StoreStatus status;
  std::string problem = look(fs, verify_at_open, once, status);
  if (!problem.empty()) return problem;
  std::string nearest;
  bool known = false;
  for (size_t i = created ? floor : 0; i <= last && !known; ++i) {
    // What was never given to the system cannot come back by itself.
    if (!states[i].kept_if_killed) continue;
    const std::string d = difference(states[i].shown, once);
    known = d.empty();
    if (nearest.empty()) nearest = d;
  }
  if (!known) return "is in none of the states that it may be in: " + nearest;
  const RecoveryInfo& r = status.recovery;
  if (r.recovered != (r.ignored_bytes > 0)) return "does not report its recovery";
  if (options.found != nullptr) *options.found = once;
  return write_and_look(fs, options, verify_at_open, once, status.epoch);
}

}  // namespace rvf::testing
