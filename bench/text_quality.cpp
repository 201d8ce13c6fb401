// Quality of text search on three public collections with relevance judgements: nDCG@10, mean over
// the judged queries. Documents are the units: title and abstract. Gain is linear in the grade,
// discount log2(rank + 1), the ideal order is that of all judged documents (trec_eval's
// ndcg_cut.10). Judgements are binary: Cranfield codes 1 to 4 are relevant, -1 is not; its queries
// are judged by their order in the file. graded=1 counts Cranfield's codes as grades 4 to 1
// instead.
//
//   text_quality <folder with cran, cisi, med> [name=value ...]   any field of RankingParams
//
// Prints JSON: plain BM25 (k1 1.2, b 0.75, no stems, stop words kept), BM25 with stems, and the
// fixed program.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "embed/text_embedder.hpp"
#include "machine.hpp"
#include "text/ranker.hpp"

namespace {

using rvf::text::Hit;

struct Record {
  uint64_t id = 0;
  std::string title;
  std::string body;
};

struct Judged {
  std::string name;
  std::vector<Record> docs;
  std::vector<Record> queries;
  std::map<uint64_t, std::map<uint64_t, double>> grades;  // query, document
};

// SMART files: .I number, then sections such as .T and .W.
std::vector<Record> read_smart(const std::string& path) {
  std::vector<Record> out;
  std::ifstream in(path);
  char section = 0;
  for (std::string line; std::getline(in, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (line.starts_with(".I ")) {
      out.push_back({std::stoull(line.substr(3)), "", ""});
      section = 0;
    } else if (line.size() >= 2 && line[0] == '.' && line[1] >= 'A' && line[1] <= 'Z' &&
               line.size() == 2) {
      section = line[1];
    } else if (!out.empty() && section == 'T') {
      out.back().title += line + "\n";
    } else if (!out.empty() && section == 'W') {
      out.back().body += line + "\n";
    }
  }
  return out;
}

Judged read_cran(const std::string& folder, bool graded) {
  Judged c{"cran", read_smart(folder + "/cran.all.1400"), read_smart(folder + "/cran.qry"), {}};
  for (size_t i = 0; i < c.queries.size(); ++i) c.queries[i].id = i + 1;
  std::ifstream in(folder + "/cran.qrels");
  long long query = 0, doc = 0, code = 0;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    if (!(fields >> query >> doc)) continue;
    if (!(fields >> code)) continue;
    if (code >= 1 && code <= 4) {
      c.grades[static_cast<uint64_t>(query)][static_cast<uint64_t>(doc)] =
          graded ? static_cast<double>(5 - code) : 1;
    }
  }
  return c;
}

Judged read_binary(const std::string& name, const std::string& folder, const std::string& stem,
                   bool zero_column) {
  Judged c{
      name, read_smart(folder + "/" + stem + ".ALL"), read_smart(folder + "/" + stem + ".QRY"), {}};
  std::ifstream in(folder + "/" + stem + ".REL");
  uint64_t query = 0, a = 0, b = 0;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    if (fields >> query >> a >> b) c.grades[query][zero_column ? b : a] = 1;
  }
  return c;
}

double ndcg10(const std::vector<Hit>& hits, const std::map<uint64_t, double>& grades) {
  double got = 0, best = 0;
  for (size_t i = 0; i < hits.size() && i < 10; ++i) {
    const auto at = grades.find(hits[i].id);
    if (at != grades.end()) got += at->second / std::log2(static_cast<double>(i) + 2);
  }
  std::vector<double> ideal;
  for (const auto& [doc, g] : grades) ideal.push_back(g);
  std::sort(ideal.rbegin(), ideal.rend());
  for (size_t i = 0; i < ideal.size() && i < 10; ++i) {
    best += ideal[i] / std::log2(static_cast<double>(i) + 2);
  }
  return best > 0 ? got / best : 0;
}

struct Index {
  std::vector<rvf::wire::Bytes> bytes;
  std::vector<rvf::wire::InvertedView> views;
};

Index build(const Judged& c, bool stem, bool titles_only, size_t segments) {
  Index index;
  const size_t step = (c.docs.size() + segments - 1) / segments;
  for (size_t from = 0; from < c.docs.size(); from += step) {
    rvf::meta::InvertedIndexBuilder builder(titles_only ? 2 : 1, {.stem = stem});
    for (size_t i = from; i < std::min(c.docs.size(), from + step); ++i) {
      builder.add(c.docs[i].id, titles_only ? c.docs[i].title : c.docs[i].title + c.docs[i].body);
    }
    index.bytes.push_back(*builder.finish());
  }
  for (const auto& b : index.bytes) index.views.push_back(*rvf::wire::InvertedView::open(b));
  return index;
}

bool set_param(rvf::text::RankingParams& p, const std::string& name, double v) {
  if (name == "k1")
    p.bm25.k1 = v;
  else if (name == "b")
    p.bm25.b = v;
  else if (name == "heading_weight")
    p.heading_weight = v;
  else if (name == "candidates")
    p.candidates = static_cast<size_t>(v);
  else if (name == "feedback_passages")
    p.feedback_passages = static_cast<size_t>(v);
  else if (name == "feedback_terms")
    p.feedback_terms = static_cast<size_t>(v);
  else if (name == "feedback_weight")
    p.feedback_weight = v;
  else if (name == "vector_feedback")
    p.vector_feedback = v;
  else if (name == "vector_weight")
    p.vector_weight = v;
  else
    return false;
  return true;
}

template <class Search>
double mean_ndcg(const Judged& c, Search search) {
  double sum = 0;
  size_t n = 0;
  for (const Record& q : c.queries) {
    const auto grades = c.grades.find(q.id);
    if (grades == c.grades.end()) continue;
    sum += ndcg10(search(q), grades->second);
    ++n;
  }
  return n > 0 ? sum / static_cast<double>(n) : 0;
}

struct Fixed {
  Index body;
  Index titles;
  std::map<uint64_t, std::vector<float>> vectors;
  std::map<uint64_t, std::string> texts;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: text_quality <folder with cran, cisi, med> [name=value ...]\n");
    return 2;
  }
  const std::string folder = argv[1];
  rvf::text::RankingParams params;
  bool graded = false;
  uint32_t dimension = rvf::embed::kDefaultTextDimension;
  for (int i = 2; i < argc; ++i) {
    const std::string arg = argv[i];
    const size_t at = arg.find('=');
    const double v = at == std::string::npos ? 0 : std::stod(arg.substr(at + 1));
    const std::string name = arg.substr(0, at);
    if (name == "graded")
      graded = v != 0;
    else if (name == "dimension")
      dimension = static_cast<uint32_t>(v);
    else if (!set_param(params, name, v)) {
      std::fprintf(stderr, "unknown parameter %s\n", arg.c_str());
      return 2;
    }
  }
  const Judged all[] = {read_cran(folder + "/cran", graded),
                        read_binary("cisi", folder + "/cisi", "CISI", false),
                        read_binary("med", folder + "/med", "MED", true)};
  std::printf(
      "{\"machine\": \"%s\", \"measure\": \"ndcg@10\", \"cranfield_grades\": \"%s\", "
      "\"collections\": [",
      rvf::bench::machine_name().c_str(), graded ? "4 to 1" : "binary");
  bool first = true;
  for (const Judged& c : all) {
    const Index plain = build(c, false, false, 1);
    const rvf::meta::Bm25 bm25(plain.views);
    const rvf::meta::Tokenizer words({.stem = false});
    const double baseline = mean_ndcg(c, [&](const Record& q) {
      std::vector<rvf::meta::WeightedTerm> terms;
      for (const auto& t : words.tokenize(q.title + q.body)) terms.push_back({t.term, 1});
      return *bm25.search(terms, 10);
    });
    double stems = 0, fixed = 0, embedding = 0, no_vectors = 0, ms = 0;
    {
      Fixed f{build(c, true, false, 3), build(c, true, true, 3), {}, {}};
      auto embedder = *rvf::embed::TextEmbedder::create({.dimension = dimension});
      for (const Record& d : c.docs) embedder.learn(d.title + d.body);
      for (const Record& d : c.docs) {
        f.vectors[d.id] = embedder.embed(d.title + d.body);
        f.texts[d.id] = d.title + d.body;
      }
      rvf::text::Collection collection;
      collection.body = f.body.views;
      collection.headings = f.titles.views;
      collection.text_of = [&](uint64_t id) -> rvf::Result<std::string> { return f.texts[id]; };
      collection.vector_of = [&](uint64_t id) -> rvf::Result<std::vector<float>> {
        return f.vectors[id];
      };
      collection.nearest = [&](std::span<const float> q,
                               size_t n) -> rvf::Result<std::vector<Hit>> {
        std::vector<Hit> hits;
        for (const auto& [id, v] : f.vectors) {
          double sum = 0;
          for (size_t d = 0; d < v.size(); ++d) sum += static_cast<double>(q[d] * v[d]);
          hits.push_back({id, sum});
        }
        rvf::meta::order_by_score(hits, n);
        return hits;
      };
      const rvf::meta::Bm25 stemmed(f.body.views);
      const rvf::meta::Tokenizer tokenizer;
      stems = mean_ndcg(c, [&](const Record& q) {
        return *stemmed.search(rvf::meta::query_terms(tokenizer, q.title + q.body), 10);
      });
      embedding = mean_ndcg(c, [&](const Record& q) {
        return *collection.nearest(embedder.embed(q.title + q.body), 10);
      });
      no_vectors = mean_ndcg(c, [&](const Record& q) {
        return *rvf::text::rank(collection, q.title + q.body, {}, 10, params);
      });
      const auto start = std::chrono::steady_clock::now();
      fixed = mean_ndcg(c, [&](const Record& q) {
        const auto v = embedder.embed(q.title + q.body);
        return *rvf::text::rank(collection, q.title + q.body, v, 10, params);
      });
      ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
               .count() /
           static_cast<double>(c.grades.size());
    }
    std::printf(
        "%s\n  {\"name\": \"%s\", \"documents\": %zu, \"judged_queries\": %zu, \"bm25_plain\": "
        "%.4f, "
        "\"bm25_stems\": %.4f, \"vectors_alone\": %.4f, \"without_vectors\": %.4f, \"fixed\": "
        "%.4f, "
        "\"above_plain\": %.4f, \"ms_a_query\": %.2f}",
        first ? "" : ",", c.name.c_str(), c.docs.size(), c.grades.size(), baseline, stems,
        embedding, no_vectors, fixed, fixed - baseline, ms);
    first = false;
  }
  std::printf("\n]}\n");
  return 0;
}
