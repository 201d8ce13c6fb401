#include "index/search_scratch.hpp"

namespace rvf::index {

SearchScratch::SearchScratch() : impl_(std::make_unique<Impl>()) {}
SearchScratch::~SearchScratch() = default;
SearchScratch::SearchScratch(SearchScratch&&) noexcept = default;
SearchScratch& SearchScratch::operator=(SearchScratch&&) noexcept = default;

}  // namespace rvf::index
