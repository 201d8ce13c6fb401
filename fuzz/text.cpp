// A text collection: documents cut into passages, the list of files, the embedder's table, HTML.
#include <algorithm>

#include "embed/text_embedder.hpp"
#include "text/html.hpp"
#include "text/passages.hpp"
#include "text_store/catalog.hpp"
#include "unicode/utf8.hpp"

#include "fuzz.hpp"

RVF_FUZZ {
  const std::string_view content(reinterpret_cast<const char*>(input.data()), input.size());
  if (const auto document = rvf::text::split_text("notes/a.md", content)) {
    uint64_t end = 0;
    for (const rvf::text::Passage& p : document->passages) {
      rvf::fuzz::require(p.offset + p.length <= content.size() && p.offset >= end);
      rvf::fuzz::require(p.first_line >= 1 && p.first_line <= p.last_line);
      rvf::fuzz::require(rvf::unicode::valid_utf8(p.text) == p.text);
      end = p.offset;
    }
  }
  const rvf::text::HtmlText html = rvf::text::text_of_html(content);
  const auto ends = std::count(html.text.begin(), html.text.end(), '\n');
  rvf::fuzz::require(html.lines.size() == (html.text.empty() ? 0 : static_cast<size_t>(ends) + 1));
  rvf::fuzz::require(std::is_sorted(html.lines.begin(), html.lines.end()));
  if (const auto embedder = rvf::embed::TextEmbedder::decode(input)) {
    if (embedder->dimension() <= 1024) {
      rvf::fuzz::require(embedder->embed("red foxes").size() == embedder->dimension());
    }
  }
  rvf::fuzz::round_trip(input, rvf::text_store::decode_catalog, rvf::text_store::encode_catalog);
}
