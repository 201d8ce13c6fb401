#include <fmt/format.h>
#include <unistd.h>

#include <chrono>

#include "command.hpp"
#include "inputs.hpp"
#include "records.hpp"
#include "text/highlight.hpp"
#include "text_output.hpp"

namespace rvf::cli {
namespace {

using text_store::SearchHit;
using text_store::TextStore;

struct AddOptions : Common {
  std::vector<std::string> paths;
};

void run_add(const AddOptions& o) {
  install_interrupt();
  OpenOptions open;
  open.executor = make_executor(o.threads == 0 ? core_count() : o.threads);
  const bool there = CLI::ExistingFile(o.store).empty();
  const auto started = std::chrono::steady_clock::now();
  TextStore store =
      there ? must(TextStore::open(o.store, open)) : must(TextStore::create(o.store, open));
  tell_recovery(store.store(), o.store);
  ProgressBar files("reading", "files", !o.quiet);
  ProgressBar index("indexing", "passages", !o.quiet);
  const Progress on_files = files.callback();
  const Progress on_index = [&](uint64_t done, uint64_t total) {
    files.finish();
    index.update(done, total);
    return !interrupted();
  };
  const text_store::AddReport r = must(store.add(o.paths, &on_files, &on_index));
  const StoreStatus s = store.store().status();
  must(store.store().close());
  files.finish();
  index.finish();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  if (o.json) {
    fmt::print("{}\n", JsonObject()
                           .add("files_added", r.files_added)
                           .add("files_changed", r.files_changed)
                           .add("files_removed", r.files_removed)
                           .add("files_unchanged", r.files_unchanged)
                           .add("files_skipped", r.files_skipped)
                           .add("passages_added", r.passages_added)
                           .add("passages_removed", r.passages_removed)
                           .add("text_bytes", r.text_bytes)
                           .add("passages", s.vectors)
                           .add("file_bytes", s.file_bytes)
                           .add("seconds", seconds)
                           .str());
    return;
  }
  fmt::print(
      "{} files added, {} changed, {} removed, {} unchanged, {} skipped (binary, empty or too "
      "large)\n",
      human_count(r.files_added), human_count(r.files_changed), human_count(r.files_removed),
      human_count(r.files_unchanged), human_count(r.files_skipped));
  fmt::print("{} passages from {} of text in {}; the store holds {} passages in {}\n",
             human_count(r.passages_added), human_bytes(r.text_bytes), human_time(seconds),
             human_count(s.vectors), human_bytes(s.file_bytes));
}

struct SearchOptions : Common {
  std::string words;
  size_t k = 10;
  size_t width = 240;
  std::string filter;
  std::vector<std::string> columns;
};

void run_search(const SearchOptions& o) {
  OpenOptions open;
  open.verify_at_open = 0;
  TextStore store = must(TextStore::open_readonly(o.store, open));
  tell_recovery(store.store(), o.store);
  const Records records(store.snapshot(), o.columns);
  const auto hits = must(store.search(o.words, o.k, o.filter));
  if (o.json) {
    fmt::print("{}\n", hits_json(o.words, hits, records));
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
  if (hits.empty()) fmt::print("nothing found\n");
  std::vector<std::vector<std::string>> cells;
  if (records != nullptr && !records->names().empty()) cells = records->cells(ids_of(hits));
  for (size_t i = 0; i < hits.size(); ++i) {
    const SearchHit& h = hits[i];
    fmt::print("{:>2}. {}:{}-{}  ({:.3f}{})\n", i + 1, h.passage.path, h.passage.first_line,
               h.passage.last_line, h.score,
               h.duplicates > 0 ? fmt::format(", {} more with the same text", h.duplicates) : "");
    std::string fields;
    for (size_t c = 0; i < cells.size() && c < cells[i].size(); ++c) {
      fields += fmt::format("{}{}: {}", c == 0 ? "    " : "  ", records->names()[c], cells[i][c]);
    }
    if (!fields.empty()) fmt::print("{}\n", fields);
    if (!h.passage.heading.empty())
      fmt::print("    # {}\n", text::highlight(tokenizer, h.passage.heading, terms, look));
    fmt::print("    {}\n", text::highlight(tokenizer, h.passage.text, terms, look));
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
    auto o = std::make_shared<AddOptions>();
    CLI::App* c = text->add_subcommand(
        "add",
        "take in text and Markdown files and folders, also .gz; again takes only what changed");
    add_store(*c, *o);
    c->add_option("DIR", o->paths, "files and folders")->required();
    add_threads(*c, *o, "threads (all cores)");
    c->add_flag("--quiet", o->quiet, "no progress bar");
    add_json(*c, *o);
    c->callback([o] { run_add(*o); });
  }
  auto o = std::make_shared<SearchOptions>();
  CLI::App* c = text->add_subcommand("search", "find the passages that answer a question");
  add_store(*c, *o);
  c->add_option("WORDS", o->words, "what to look for")->required();
  c->add_option("-k", o->k, "how many passages (10)")->check(CLI::Range(1, 1000));
  add_filter(*c, o->filter,
             "search only among passages that pass, e.g. \"path starts with 'docs/'\"");
  c->add_option("--columns", o->columns, "fields to show: path,title,mtime,size,... or *")
      ->delimiter(',');
  c->add_option("--width", o->width, "characters of text shown a passage (240, 0: all)");
  add_json(*c, *o);
  c->callback([o] { run_search(*o); });
}

}  // namespace rvf::cli
