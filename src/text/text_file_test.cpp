#include "text/text_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>

#include "text/folder_walk.hpp"

namespace rvf::text {
namespace {

namespace fs = std::filesystem;

class TextFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("rvf-text-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string file(const std::string& name, const std::string& content) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << content;
    return (folder_ / name).string();
  }
  std::string text_of(const std::string& name, const std::string& content,
                      const ReadOptions& options = {}) const {
    const auto read = read_text_file(file(name, content), options);
    return read ? read->text : "(" + std::string(error_name(read.error().code)) + ")";
  }
  fs::path folder_;
};

TEST_F(TextFiles, ReadsGzipAndRefusesBinaries) {
  const std::string path = (folder_ / "changelog.gz").string();
  gzFile gz = gzopen(path.c_str(), "wb");
  gzputs(gz, "rvf (1.0) stable\n\n  * First.\n");
  gzclose(gz);
  const auto read = read_text_file(path);
  ASSERT_TRUE(read.ok()) << read.error().message;
  const auto d = split_file(path, *read);
  ASSERT_TRUE(d.ok()) << d.error().message;
  ASSERT_EQ(d->passages.size(), 1u);
  EXPECT_EQ(d->title, "rvf (1.0) stable");
  EXPECT_EQ(read_text_file(file("a.bin", std::string("ELF\0\1\2", 6))).error().code,
            ErrorCode::kUnsupported);
  EXPECT_EQ(read_text_file(folder_.string()).error().code, ErrorCode::kBadArgument);
  EXPECT_EQ(read_text_file((folder_ / "none").string()).error().code, ErrorCode::kNoSuchFile);
  const ReadOptions small{.max_bytes = 10, .encoding = {}};
  EXPECT_EQ(read_text_file(file("big", "twelve bytes"), small).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(read_text_file(path, small).error().code, ErrorCode::kTooLarge);
  std::ifstream in(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  EXPECT_FALSE(read_text_file(file("cut.gz", bytes.substr(0, bytes.size() - 9))).ok());
}

TEST_F(TextFiles, TheEncodingIsFoundOrDeclared) {
  using unicode::Encoding;
  const std::string wide("G\0r\0\xFC\0\xDF\0e\0\n\0", 12);
  EXPECT_EQ(text_of("a", "Grüße\n"), "Grüße\n");
  EXPECT_EQ(text_of("a", "\xEF\xBB\xBFGrüße\n"), "Grüße\n");
  EXPECT_EQ(text_of("a",
                    "Gr\xFC\xDF"
                    "e, \x80 5\n"),
            "Grüße, € 5\n");
  EXPECT_EQ(text_of("a", "\xFF\xFE" + wide), "Grüße\n");
  EXPECT_EQ(text_of("a", wide), "Grüße\n");
  EXPECT_EQ(text_of("a", std::string("\xFE\xFF\0H\0i", 6)), "Hi");
  EXPECT_EQ(text_of("a", "one\rtwo\r"), "one\ntwo\n");
  EXPECT_EQ(text_of("a", "Gr\xC3\xBC\n", {.encoding = Encoding::kWindows1252}), "GrÃ¼\n");
  EXPECT_EQ(text_of("a", "\xEF\xBB\xBFGr\xC3\xBC\n", {.encoding = Encoding::kWindows1252}),
            "Grü\n");
  EXPECT_EQ(text_of("a.html", "<meta charset=latin1><p>Gr\xC3\xBC"), "GrÃ¼");
  EXPECT_EQ(text_of("a.xml", "<?xml version='1.0' encoding='ISO-8859-1'?><a>Gr\xFC</a>"),
            "<?xml version='1.0' encoding='ISO-8859-1'?><a>Grü</a>");
  EXPECT_EQ(text_of("a.html", "<meta charset='koi8-r'><p>\xD0\xD2\xC9"), "(unsupported)");
  EXPECT_EQ(text_of("a.html", "<meta charset='koi8-r'><p>при"), "при");
  EXPECT_EQ(text_of("a.html", "<meta charset='utf-16'><p>fine"), "fine");
  EXPECT_EQ(text_of("a", std::string(40, '\xD0')), "(unsupported)");  // KOI8, undeclared
}

TEST_F(TextFiles, AFileIsSettledOnceItsTimesCanTellAChange) {
  const std::string path = file("a", "text\n");
  EXPECT_FALSE(read_text_file(path)->settled);
  EXPECT_EQ(read_text_file(path)->stamp.size, 5u);
}

TEST_F(TextFiles, WalksAFolderOnceWhateverTheLinks) {
  file("b.txt", "b");
  file("a/x.md", "x");
  file("a/deep/y.rst", "yy");
  file(".hidden", "h");
  file(".git/config", "g");
  file("node_modules/x.js", "x");
  file("image.PNG", "p");
  file("archive.tar.gz", "p");
  file("log.txt.gz", "p");
  file("empty", "");
  file("big", std::string(100, 'x'));
  fs::create_directories(folder_ / "bare");
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  fs::create_directory_symlink(folder_, folder_ / "a" / "loop");
  fs::create_symlink("nowhere", folder_ / "dangling");
  fs::create_symlink("itself", folder_ / "itself");
  fs::create_symlink("b.txt", folder_ / "link.txt");
  for (const bool follow : {false, true}) {
    WalkOptions options;
    options.follow_links = follow;
    options.max_bytes = 99;
    auto found = walk_folder(folder_.string() + "/", options);
    ASSERT_TRUE(found.ok()) << found.error().message;
    std::vector<std::string> paths;
    for (const FoundFile& f : found->files) paths.push_back(f.path);
    EXPECT_EQ(paths, (std::vector<std::string>{"a/deep/y.rst", "a/x.md", "b.txt", "link.txt",
                                               "log.txt.gz"}));
    EXPECT_EQ(found->files[0].stamp.size, 2u);
    EXPECT_GT(found->files[0].stamp.mtime_ns, 1'600'000'000'000'000'000);
    std::map<std::string, LeftOutAs> left_out;
    for (const LeftOut& l : found->left_out) {
      left_out[l.path] = l.as;
      EXPECT_FALSE(l.reason.empty());
    }
    std::map<std::string, LeftOutAs> expected = {{".hidden", LeftOutAs::kNotWanted},
                                                 {".git", LeftOutAs::kNotWanted},
                                                 {"node_modules", LeftOutAs::kNotWanted},
                                                 {"image.PNG", LeftOutAs::kNotWanted},
                                                 {"archive.tar.gz", LeftOutAs::kNotWanted},
                                                 {"empty", LeftOutAs::kNoText},
                                                 {"pipe", LeftOutAs::kNoText},
                                                 {"big", LeftOutAs::kUnreadable},
                                                 {"itself", LeftOutAs::kUnreadable},
                                                 {"dangling", LeftOutAs::kUnreadable}};
    if (!follow) expected["a/loop"] = LeftOutAs::kNotWanted;
    EXPECT_EQ(left_out, expected);
    ASSERT_EQ(found->empty.size(), 1u);
    EXPECT_EQ(found->empty[0].path, "bare");
  }
  EXPECT_EQ(walk_folder((folder_ / "none").string()).error().code, ErrorCode::kNoSuchFile);
  EXPECT_EQ(walk_folder((folder_ / "b.txt").string()).error().code, ErrorCode::kBadArgument);
  const Progress stop = [](uint64_t, uint64_t) { return false; };
  WalkOptions stopped;
  stopped.progress = &stop;
  EXPECT_EQ(walk_folder(folder_.string(), stopped).error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace rvf::text
