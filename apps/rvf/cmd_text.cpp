#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "command.hpp"
#include "inputs.hpp"
#include "records.hpp"
#include "text/highlight.hpp"
#include "text_output.hpp"
#include "unicode/encoding.hpp"

namespace rvf::cli {
namespace {

using text_store::SearchHit;
using text_store::TextStore;

struct AddArguments : Common {
  std::vector<std::string> paths;
  std::string encoding;
  bool verbose = false;
  text_store::AddOptions add;
};

std::string skipped_json(const std::vector<text::LeftOut>& skipped) {
  std::string list;
  for (const text::LeftOut& s : skipped) {
    list += (list.empty() ? "" : ",") + JsonObject()
                                            .add("path", s.path)
                                            .add("reason", s.reason)
                                            .add("kept", s.as != text::LeftOutAs::kNoText)
                                            .str();
  }
  return "[" + list + "]";
}

// What could not be read comes first: it may be what the user wanted.
void print_skipped(std::vector<text::LeftOut> skipped, bool all) {
  constexpr size_t kFirst = 10;
  std::stable_sort(skipped.begin(), skipped.end(),
                   [](const auto& a, const auto& b) { return a.as > b.as; });
  const size_t shown = all ? skipped.size() : std::min(kFirst, skipped.size());
  for (size_t i = 0; i < shown; ++i) {
    say("skipped: {}: {}\n", skipped[i].path, skipped[i].reason);
  }
  if (shown < skipped.size()) {
    say("skipped: {} more, --verbose names them\n", human_count(skipped.size() - shown));
  }
}

void print_added(const AddArguments& o, const text_store::AddReport& r, const StoreStatus& s,
                 double seconds) {
  if (o.json) {
    say("{}\n", JsonObject()
                    .add("files_added", r.files_added)
                    .add("files_changed", r.files_changed)
                    .add("files_removed", r.files_removed)
                    .add("files_unchanged", r.files_unchanged)
                    .add("files_kept", r.files_kept)
                    .add("files_skipped", uint64_t{r.skipped.size()})
                    .add("passages_added", r.passages_added)
                    .add("passages_removed", r.passages_removed)
                    .add("text_bytes", r.text_bytes)
                    .add("passages", s.vectors)
                    .add("file_bytes", s.file_bytes)
                    .add("seconds", seconds)
                    .add_raw("skipped", skipped_json(r.skipped))
                    .str());
    return;
  }
  say("{} files added, {} changed, {} removed, {} unchanged, {} skipped{}\n",
      human_count(r.files_added), human_count(r.files_changed), human_count(r.files_removed),
      human_count(r.files_unchanged), human_count(r.skipped.size()),
      r.files_kept > 0 ? ", " + human_count(r.files_kept) + " kept as they were" : "");
  print_skipped(r.skipped, o.verbose);
  say("{} passages from {} of text in {}; the store holds {} passages in {}\n",
      human_count(r.passages_added), human_bytes(r.text_bytes), human_time(seconds),
      human_count(s.vectors), human_bytes(s.file_bytes));
}

// Nothing is left behind where there is nothing to take in.
TextStore open_or_create(const AddArguments& o, const OpenOptions& open) {
  if (CLI::ExistingFile(o.store).empty()) return must(TextStore::open(o.store, open));
  for (const std::string& p : o.paths) (void)must(text_store::resolve_root(p));
  return must(TextStore::create(o.store, open));
}

void run_add(AddArguments& o) {
  if (!o.encoding.empty() && o.encoding != "auto") {
    o.add.read.encoding = unicode::encoding_of_name(o.encoding);
    if (!o.add.read.encoding) {
      fail_usage(
          fmt::format("--encoding: '{}' is not read; auto, utf-8, utf-16le, utf-16be, "
                      "latin-1 and windows-1252 are",
                      o.encoding));
    }
  }
  OpenOptions open = writing_options(o);
  open.executor = make_executor(o.threads == 0 ? core_count() : o.threads);
  const auto started = std::chrono::steady_clock::now();
  TextStore store = open_or_create(o, open);
  tell_recovery(store.store(), o.store);
  ProgressBar files("reading", "files", !o.quiet);
  ProgressBar index("indexing", "passages", !o.quiet);
  const Progress on_files = files.callback();
  const Progress on_index = [&](uint64_t done, uint64_t total) {
    files.finish();
    index.update(done, total);
    return !interrupted();
  };
  o.add.files_progress = &on_files;
  o.add.index_progress = &on_index;
  const text_store::AddReport report = must(store.add(o.paths, o.add));
  const StoreStatus s = store.store().status();
  must(store.store().close());
  files.finish();
  index.finish();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  print_added(o, report, s, seconds);
}

struct SearchOptions : Common {
  std::string words;
  size_t k = 10;
  size_t width = 240;
  std::string filter;
  std::vector<std::string> columns;
};

void run_search(const SearchOptions& o) {
  OpenOptions open = reading_options(o);
  open.verify_at_open = 0;
  TextStore store = must(TextStore::open_readonly(o.store, open));
  tell_recovery(store.store(), o.store);
  const Records records(store.snapshot(), o.columns);
  const auto hits = must(store.search(o.words, o.k, o.filter));
  if (o.json) {
    say("{}\n", hits_json(o.words, hits, records));
  } else {
    print_hits(o.words, hits, o.width, &records);
  }
}

std::vector<uint64_t> ids_of(const std::vector<SearchHit>& hits) {
  std::vector<uint64_t> ids;
  for (const SearchHit& h : hits) ids.push_back(h.id);
  return ids;
}

// All fields, the empty ones too.
JsonObject& add_passage(JsonObject& out, const text_store::StoredPassage& p) {
  return out.add("path", p.path)
      .add("title", p.title)
      .add("first_line", p.first_line)
      .add("last_line", p.last_line)
      .add("heading", p.heading)
      .add("text", p.text)
      .add_raw("mtime", value_json(p.mtime_ns, FieldType::kTimestamp))
      .add("size", p.size);
}

}  // namespace

void print_hits(const std::string& query, const std::vector<SearchHit>& hits, size_t width,
                const Records* records) {
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  const meta::Tokenizer tokenizer;
  const auto terms = meta::query_terms(tokenizer, query);
  text::HighlightOptions look;
  look.width = width;
  if (terminal) {
    look.before = "\x1b[1m";
    look.after = "\x1b[0m";
  }
  if (hits.empty()) say("nothing found\n");
  std::vector<std::vector<std::string>> cells;
  if (records != nullptr && !records->names().empty()) cells = records->cells(ids_of(hits));
  for (size_t i = 0; i < hits.size(); ++i) {
    const SearchHit& h = hits[i];
    say("{:>2}. {}:{}-{}  ({:.3f}{})\n", i + 1, h.passage.path, h.passage.first_line,
        h.passage.last_line, h.score,
        h.duplicates > 0 ? fmt::format(", {} more with the same text", h.duplicates) : "");
    std::string fields;
    for (size_t c = 0; i < cells.size() && c < cells[i].size(); ++c) {
      fields += fmt::format("{}{}: {}", c == 0 ? "    " : "  ", records->names()[c], cells[i][c]);
    }
    if (!fields.empty()) say("{}\n", fields);
    if (!h.passage.heading.empty())
      say_raw("    # " + text::highlight(tokenizer, h.passage.heading, terms, look) + "\n");
    say_raw("    " + text::highlight(tokenizer, h.passage.text, terms, look) + "\n");
  }
}

std::string hits_json(const std::string& query, const std::vector<SearchHit>& hits,
                      const Records& records) {
  std::vector<std::string> objects;
  if (!records.names().empty()) objects = records.objects(ids_of(hits));
  std::string list;
  for (size_t i = 0; i < hits.size(); ++i) {
    JsonObject out;
    out.add("id", hits[i].id).add("score", hits[i].score);
    if (objects.empty()) add_passage(out, hits[i].passage);
    std::string fields = objects.empty() ? "" : objects[i].substr(1, objects[i].size() - 2);
    if (!fields.empty()) fields = "," + fields;
    const std::string head = out.str();
    list += (list.empty() ? "" : ",") + head.substr(0, head.size() - 1) + fields +
            fmt::format(",\"duplicates\":{}}}", hits[i].duplicates);
  }
  return JsonObject().add("query", query).add_raw("hits", "[" + list + "]").str();
}

void register_text(CLI::App& app) {
  CLI::App* text =
      app.add_subcommand("text", "search in text files: add folders, search with words");
  text->require_subcommand(1);
  {
    auto o = std::make_shared<AddArguments>();
    CLI::App* c = text->add_subcommand("add",
                                       "take in text, Markdown and HTML files and folders, also "
                                       ".gz; again takes only what changed");
    add_store_to_write(*c, *o);
    c->add_option("DIR", o->paths, "files and folders")->required();
    c->add_option("--max-file-size", o->add.read.max_bytes,
                  "leave out files of more bytes, as they are or unpacked (16M)")
        ->transform(CLI::AsSizeValue(false))
        ->check(CLI::Range(uint64_t{1}, uint64_t{2} << 30));
    c->add_option("--encoding", o->encoding,
                  "of files without a byte order mark: auto, utf-8, utf-16le, utf-16be, latin-1");
    c->add_flag("--allow-empty", o->add.allow_empty,
                "a folder that holds no text any more, or is gone, loses its files");
    c->add_flag("--verbose", o->verbose, "name every file that was skipped");
    add_threads(*c, *o, "threads (all cores)");
    c->add_flag("--quiet", o->quiet, "no progress bar");
    add_json(*c, *o);
    c->callback([o] { run_add(*o); });
  }
  auto o = std::make_shared<SearchOptions>();
  CLI::App* c = text->add_subcommand("search", "find the passages that answer a question");
  add_store_to_read(*c, *o);
  c->add_option("WORDS", o->words, "what to look for")->required();
  c->add_option("-k", o->k, "how many passages (10)")->check(between(1, 1000));
  add_filter(*c, o->filter,
             "search only among passages that pass, e.g. \"path starts with '/home/me/docs/'\"");
  c->add_option("--columns", o->columns, "fields to show: path,title,mtime,size,... or *")
      ->delimiter(',');
  c->add_option("--width", o->width, "characters of text shown a passage (240, 0: all)");
  add_json(*c, *o);
  c->callback([o] { run_search(*o); });
}

}  // namespace rvf::cli
