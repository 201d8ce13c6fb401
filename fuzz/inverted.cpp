#include "wire/metaidx_inverted.hpp"

#include "fuzz.hpp"

using namespace rvf::wire;  // NOLINT: a program of one function

RVF_FUZZ {
  const auto view = InvertedView::open(input);
  if (!view) return;
  for (uint64_t i = 0; i < view->doc_count() && i < 1000; ++i) (void)view->doc(i);
  (void)view->ordinal_of(7);
  auto terms = view->terms();
  for (int n = 0; n < 1000 && terms.next(); ++n) {
    auto postings = view->postings(terms.entry());
    InvertedPosting posting;
    for (int k = 0; k < 10000 && postings.next(posting); ++k) {
    }
    (void)view->find(terms.term());
  }
}
