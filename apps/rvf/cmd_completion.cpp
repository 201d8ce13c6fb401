// Shell completions and the manual page, made from the command line's own description.
#include <fmt/format.h>

#include "command.hpp"

namespace rvf::cli {
namespace {

std::vector<const CLI::App*> subcommands(const CLI::App& app) {
  std::vector<const CLI::App*> all;
  for (const CLI::App* c : app.get_subcommands([](const CLI::App*) { return true; }))
    all.push_back(c);
  return all;
}

std::string long_options(const CLI::App& command) {
  std::string words;
  for (const CLI::Option* o : command.get_options()) {
    for (const std::string& name : o->get_lnames()) words += " --" + name;
    for (const std::string& name : o->get_snames()) words += " -" + name;
  }
  return words;
}

void print_bash(const CLI::App& app) {
  std::string names;
  std::string cases;
  for (const CLI::App* c : subcommands(app)) {
    names += " " + c->get_name();
    std::string words = long_options(*c);
    for (const CLI::App* inner : subcommands(*c))
      words += " " + inner->get_name() + long_options(*inner);
    cases += fmt::format("    {}) words=\"{}\" ;;\n", c->get_name(),
                         words.substr(words.empty() ? 0 : 1));
  }
  fmt::print(
      "_rvf() {{\n"
      "  local current=\"${{COMP_WORDS[COMP_CWORD]}}\" words\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W \"{} --help --version\" -- \"$current\")); return\n"
      "  fi\n"
      "  case \"${{COMP_WORDS[1]}}\" in\n{}  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\") $(compgen -f -- \"$current\"))\n"
      "}}\n"
      "complete -o filenames -F _rvf rvf\n",
      names.substr(1), cases);
}

std::string single_quoted(std::string text) {
  for (size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4)
    text.replace(at, 1, "'\\''");
  return "'" + text + "'";
}

void print_zsh(const CLI::App& app) {
  std::string names;
  std::string cases;
  for (const CLI::App* c : subcommands(app)) {
    std::string title = c->get_description();
    for (size_t at = 0; (at = title.find(':', at)) != std::string::npos; at += 2)
      title.replace(at, 1, "\\:");
    names += "    " + single_quoted(c->get_name() + ":" + title) + "\n";
    std::string words = long_options(*c);
    for (const CLI::App* inner : subcommands(*c))
      words += " " + inner->get_name() + long_options(*inner);
    cases += fmt::format("    {}) compadd --{} ;;\n", c->get_name(), words);
  }
  fmt::print(
      "#compdef rvf\n_rvf() {{\n  local -a commands=(\n{}  )\n"
      "  if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
      "  case \"$words[2]\" in\n{}  esac\n  _files\n}}\n_rvf \"$@\"\n",
      names, cases);
}

void print_fish(const CLI::App& app) {
  for (const CLI::App* c : subcommands(app)) {
    fmt::print("complete -c rvf -n __fish_use_subcommand -f -a {} -d {}\n", c->get_name(),
               single_quoted(c->get_description()));
    for (const CLI::Option* o : c->get_options()) {
      for (const std::string& name : o->get_lnames()) {
        fmt::print("complete -c rvf -n '__fish_seen_subcommand_from {}' -l {} -d {}\n",
                   c->get_name(), name, single_quoted(o->get_description()));
      }
    }
  }
}

std::string roff(std::string text) {
  for (size_t at = 0; (at = text.find('-', at)) != std::string::npos; at += 2)
    text.replace(at, 1, "\\-");
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    out += c;
    line_start = c == '\n';
  }
  return out;
}

void print_man_command(const CLI::App& command, const std::string& prefix) {
  std::string usage = prefix + command.get_name();
  for (const CLI::Option* o : command.get_options()) {
    if (o->get_positional())
      usage += o->get_required() ? " " + o->get_single_name() : " [" + o->get_single_name() + "]";
  }
  fmt::print(".SS {}\n{}\n", roff(usage), roff(command.get_description()));
  for (const CLI::Option* o : command.get_options()) {
    fmt::print(".TP\n.B {}\n{}\n", roff(o->get_name(false, true)), roff(o->get_description()));
  }
  for (const CLI::App* inner : subcommands(command))
    print_man_command(*inner, prefix + command.get_name() + " ");
}

void print_man(const CLI::App& app) {
  fmt::print(
      ".TH RVF 1 \"\" \"rvf {}\" \"User Commands\"\n.SH NAME\nrvf \\- a crash\\-safe memory for "
      "vectors in one file\n"
      ".SH SYNOPSIS\n.B rvf\n.I COMMAND\n[\\fIOPTIONS\\fR]\n.SH COMMANDS\n",
      RVF_VERSION);
  for (const CLI::App* c : subcommands(app)) print_man_command(*c, "rvf ");
  fmt::print(
      ".SH EXIT STATUS\n.TP\n.B 0\ndone\n.TP\n.B 1\nuser error\n.TP\n.B 2\nstore damaged\n.TP\n.B "
      "3\n"
      "store held by another writer\n.TP\n.B 4\ninput/output error\n"
      ".SH ENVIRONMENT\n.TP\n.B RVF_SIMD\nscalar, avx2, avx512, avx512vbmi, avx512fp16, neon or "
      "neondot: the instruction set to use\n");
}

}  // namespace

void register_completion(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  CLI::App* c =
      app.add_subcommand("completion", "print a shell completion, or the manual page (man)");
  c->add_option("SHELL", *shell, "bash, zsh, fish or man")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish", "man"}));
  c->callback([&app, shell] {
    if (*shell == "bash") print_bash(app);
    if (*shell == "zsh") print_zsh(app);
    if (*shell == "fish") print_fish(app);
    if (*shell == "man") print_man(app);
  });
}

}  // namespace rvf::cli
