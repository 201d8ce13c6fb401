// Shell completions and the manual page, made from the command line's own description.
#include <fmt/format.h>

#include <algorithm>

#include "command.hpp"

namespace rvf::cli {
namespace {

std::vector<const CLI::App*> subcommands(const CLI::App& app) {
  std::vector<const CLI::App*> all;
  for (const CLI::App* c : app.get_subcommands([](const CLI::App*) { return true; }))
    all.push_back(c);
  return all;
}

// "--metric", "-k": as they are typed.
std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> all;
  for (const std::string& name : option.get_lnames()) all.push_back("--" + name);
  for (const std::string& name : option.get_snames()) all.push_back("-" + name);
  return all;
}

// The values that an option takes, blanks between them, from what its own check says of itself:
// "{l2,cosine}". Empty: any.
std::string values_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t begin = type.find('{');
  const size_t end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return {};
  std::string values = type.substr(begin + 1, end - begin - 1);
  std::replace(values.begin(), values.end(), ',', ' ');
  return values;
}

bool takes_a_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::string single_quoted(std::string text) {
  for (size_t at = 0; (at = text.find('\'', at)) != std::string::npos; at += 4)
    text.replace(at, 1, "'\\''");
  return "'" + text + "'";
}

// Of a command and of those below it, where there are some ("text add").
struct Words {
  std::string options;  // blanks between them; with the names of commands below
  std::string values;  // cases of the shell: what may follow which option, or stands in whose place
};

void collect(const CLI::App& command, const std::string& name, Words& out) {
  for (const CLI::Option* o : command.get_options()) {
    const std::string values = values_of(*o);
    std::string patterns;
    for (const std::string& spelling : spellings(*o)) {
      out.options += " " + spelling;
      patterns += (patterns.empty() ? "" : "|") + name + "\\ " + spelling;
    }
    if (values.empty()) continue;
    // A positional one stands behind the command's own name.
    if (o->get_positional()) patterns = name + "\\ " + name;
    out.values += fmt::format("    {}) values=\"{}\" ;;\n", patterns, values);
  }
  for (const CLI::App* inner : subcommands(command)) {
    out.options += " " + inner->get_name();
    collect(*inner, name, out);
  }
}

// Names of files are never split or read again by the shell, so whatever is in them stays in one
// word; `complete -o filenames` quotes them on the line.
constexpr const char* kBashFiles = R"sh(_rvf_files() {
  local rest=$1 word= name stores=() others=()
  case $rest in
    \'*|\"*) word=${rest:1} ;;
    *) while [[ $rest == *\\* ]]; do
         word+=${rest%%\\*}; rest=${rest#*\\}; word+=${rest:0:1}; rest=${rest:1}
       done
       word+=$rest ;;
  esac
  [[ $word == "~/"* ]] && word=$HOME/${word:2}
  for name in "$word"*; do
    [[ -e $name || -L $name ]] || continue
    if [[ $name == *.rvf || -d $name ]]; then stores+=("$name"); else others+=("$name"); fi
  done
  if [[ $2 == store && ${#stores[@]} -gt 0 ]]; then COMPREPLY+=("${stores[@]}")
  else COMPREPLY+=("${stores[@]}" "${others[@]}"); fi
}
)sh";

void print_bash(const CLI::App& app) {
  std::string names;
  std::string options;
  std::string values;
  for (const CLI::App* c : subcommands(app)) {
    names += " " + c->get_name();
    Words words;
    collect(*c, c->get_name(), words);
    options += fmt::format("    {}) words=\"{}\" ;;\n", c->get_name(), words.options.substr(1));
    values += words.values;
  }
  fmt::print(
      "{}_rvf() {{\n"
      "  local IFS=$' \\t\\n' current=${{COMP_WORDS[COMP_CWORD]}} "
      "before=${{COMP_WORDS[COMP_CWORD-1]}}\n"
      "  local words= values= command=${{COMP_WORDS[1]}} place=\n"
      "  COMPREPLY=()\n"
      "  if [[ $COMP_CWORD -eq 1 ]]; then\n"
      "    COMPREPLY=($(compgen -W \"{} help --help --version\" -- \"$current\")); return\n"
      "  fi\n"
      "  if [[ $command = help ]]; then\n"
      "    COMPREPLY=($(compgen -W \"{}\" -- \"$current\")); return\n"
      "  fi\n"
      "  if [[ $current == = ]]; then current=; "
      "elif [[ $before == = ]]; then before=${{COMP_WORDS[COMP_CWORD-2]}}; fi\n"
      "  case \"$command $before\" in\n{}  esac\n"
      "  if [[ -n $values ]]; then COMPREPLY=($(compgen -W \"$values\" -- \"$current\")); return; "
      "fi\n"
      "  case \"$command\" in\n{}  esac\n"
      "  [[ -n $current && $current != -* ]] || "
      "COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "  [[ $command = text && $COMP_CWORD -eq 2 ]] && "
      "{{ COMPREPLY=($(compgen -W \"add search\" -- \"$current\")); return; }}\n"
      "  [[ $before == \"$command\" || \"$command $before\" == \"text add\" || "
      "\"$command $before\" == \"text search\" ]] && place=store\n"
      "  [[ $current == -* ]] || _rvf_files \"$current\" \"$place\"\n"
      "}}\n"
      "complete -o filenames -F _rvf rvf\n",
      kBashFiles, names.substr(1), names.substr(1), values, options);
}

// A text inside the square brackets of _arguments.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

// One command's arguments as _arguments takes them: its options, and one kind of all the rest.
std::string zsh_arguments(const CLI::App& command) {
  std::string out;
  std::string rest;
  for (const CLI::Option* o : command.get_options()) {
    const std::string values = values_of(*o);
    const std::string action = values.empty() ? "_files" : "(" + values + ")";
    for (const std::string& spelling : spellings(*o)) {
      std::string spec = spelling + "[" + zsh_text(o->get_description()) + "]";
      if (takes_a_value(*o)) spec += ":value:" + action;
      out += " " + single_quoted(spec);
    }
    if (o->get_positional() && rest.empty()) rest = " " + single_quoted("*:file:" + action);
  }
  return out + rest;
}

void print_zsh(const CLI::App& app) {
  std::string names;
  std::string cases;
  const auto line = [](const std::string& pattern, const CLI::App& c) {
    return fmt::format("    {}) _arguments{} ;;\n", pattern, zsh_arguments(c));
  };
  for (const CLI::App* c : subcommands(app)) {
    std::string title = c->get_description();
    for (size_t at = 0; (at = title.find(':', at)) != std::string::npos; at += 2)
      title.replace(at, 1, "\\:");
    names += "    " + single_quoted(c->get_name() + ":" + title) + "\n";
    std::string inner_names;
    for (const CLI::App* inner : subcommands(*c)) {
      inner_names += " " + inner->get_name();
      cases += line(c->get_name() + "\\ " + inner->get_name(), *inner);
    }
    if (inner_names.empty()) {
      cases += line(c->get_name() + "\\ *", *c);
    } else {
      cases += fmt::format("    {}\\ *) compadd --{} ;;\n", c->get_name(), inner_names);
    }
  }
  fmt::print(
      "#compdef rvf\n_rvf() {{\n  local -a commands=(\n{}  )\n"
      "  if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
      "  local place=\"$words[2] $words[3]\"\n"
      "  case \"$place\" in\n{}  esac\n}}\n_rvf \"$@\"\n",
      names, cases);
}

void print_fish_options(const CLI::App& command, const std::string& condition) {
  for (const CLI::Option* o : command.get_options()) {
    const std::string values = values_of(*o);
    std::string names;
    for (const std::string& name : o->get_lnames()) names += " -l " + name;
    for (const std::string& name : o->get_snames()) names += " -s " + name;
    std::string arguments = takes_a_value(*o) && !names.empty() ? " -r" : "";
    if (!values.empty())
      arguments = (names.empty() ? " -f -a " : " -x -a ") + single_quoted(values);
    if (names.empty() && values.empty()) continue;
    fmt::print("complete -c rvf -n {}{}{} -d {}\n", single_quoted(condition), names, arguments,
               single_quoted(o->get_description()));
  }
}

void print_fish(const CLI::App& app) {
  for (const CLI::App* c : subcommands(app)) {
    fmt::print("complete -c rvf -n __fish_use_subcommand -f -a {} -d {}\n", c->get_name(),
               single_quoted(c->get_description()));
    const std::string seen = "__fish_seen_subcommand_from " + c->get_name();
    print_fish_options(*c, seen);
    for (const CLI::App* inner : subcommands(*c)) {
      fmt::print("complete -c rvf -n '{}' -f -a {} -d {}\n", seen, inner->get_name(),
                 single_quoted(inner->get_description()));
      print_fish_options(*inner, seen + "; and __fish_seen_subcommand_from " + inner->get_name());
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
      ".TP\n.B 5\nnothing left to repair\n.TP\n.B 128+N\nstopped by signal N (Ctrl\\-C: 130)\n"
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
