#include "weir/query/sql_guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

namespace weir::query {

namespace {
// Nodes that may stand anywhere. Not among them: ColumnsApplyTransformer, `* APPLY(f)`, which does not show the
// function's name; everything that writes, grants, kills or sets.
constexpr std::string_view kKinds[] = {
    "SelectWithUnionQuery",
    "SelectIntersectExceptQuery",
    "SelectQuery",
    "ExpressionList",
    "Identifier",
    "TableIdentifier",
    "Literal",
    "Function",
    "Asterisk",
    "QualifiedAsterisk",
    "ColumnsListMatcher",
    "ColumnsRegexpMatcher",
    "QualifiedColumnsListMatcher",
    "QualifiedColumnsRegexpMatcher",
    "ColumnsTransformerList",
    "ColumnsExceptTransformer",
    "ColumnsReplaceTransformer",
    "ColumnsReplaceTransformer::Replacement",
    "TablesInSelectQuery",
    "TablesInSelectQueryElement",
    "TableExpression",
    "TableJoin",
    "ArrayJoin",
    "Subquery",
    "WithElement",
    "OrderByElement",
    "InterpolateElement",
    "WindowDefinition",
    "WindowListElement",
    "SampleRatio",
    "Collation",
    "Set",
    "Explain",
    "DescribeQuery",
    "ShowTables",
    "ShowColumns",
};
// The first node.
constexpr std::string_view kStatements[] = {"SelectWithUnionQuery", "Explain", "DescribeQuery", "ShowTables",
                                            "ShowColumns"};
// ESTIMATE counts rows of everybody's projects; so does a plan that shows its indexes, which is a setting of it.
constexpr std::string_view kExplanations[] = {"EXPLAIN", "EXPLAIN AST", "EXPLAIN SYNTAX", "EXPLAIN QUERY TREE",
                                              "EXPLAIN PIPELINE"};
constexpr std::string_view kTableFunctions[] = {"numbers",        "numbers_mt",        "zeros",
                                                "generateseries", "generate_series",   "values",
                                                "null",           "sqlstandardvalues", "primes"};

// Functions that read files, other servers or secrets, or that hold the server up; in lower case. Refused as a name
// too, wherever it stands: arrayMap(file, ...) calls the function without a Function node.
constexpr std::string_view kHarmful[] = {"file",         "catboostevaluate", "evalmlmethod",        "aiclassify",
                                         "aigenerate",   "aiembed",          "aiextract",           "aitranslate",
                                         "executable",   "hascolumnintable", "getclienthttpheader", "sleep",
                                         "sleepeachrow", "logtrace",         "generateserialid",    "showcertificate"};
constexpr std::string_view kHarmfulFamilies[] = {"dictget", "dicthas",    "dictisin",
                                                 "joinget", "naivebayes", "addressto"};
// Functions that tell about the server; nobody's business, but no reason to refuse a column of that name.
constexpr std::string_view kUnwanted[] = {"getserverport",
                                          "getserversetting",
                                          "getmergetreesetting",
                                          "getmacro",
                                          "getsetting",
                                          "getsettingordefault",
                                          "getmaxtablenamelengthfordatabase",
                                          "hostname",
                                          "fqdn",
                                          "tcpport",
                                          "serveruuid",
                                          "uptime",
                                          "buildid",
                                          "getoskernelversion",
                                          "zookeepersessionuptime",
                                          "connectionid",
                                          "displayname",
                                          "tid",
                                          "demangle",
                                          "globalvariable",
                                          "runningconcurrency",
                                          "currentprofiles",
                                          "enabledprofiles",
                                          "defaultprofiles",
                                          "currentroles",
                                          "enabledroles",
                                          "defaultroles",
                                          "currentuser",
                                          "user",
                                          "authenticateduser",
                                          "shardnum",
                                          "shardcount",
                                          "hasthreadfuzzer",
                                          "fuzzquery"};
constexpr std::string_view kUnwantedFamilies[] = {"__",         "regionto",    "regionin",      "regionhierarchy",
                                                  "filesystem", "transaction", "mergetreepart", "ismergetreepart",
                                                  "structureto"};

template <size_t N>
bool among(const std::string_view (&list)[N], std::string_view text) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

template <size_t N>
bool begins_with_one_of(const std::string_view (&list)[N], std::string_view text) {
  return std::any_of(std::begin(list), std::end(list),
                     [&](std::string_view family) { return text.starts_with(family); });
}

bool is_harmful(std::string_view name) {
  std::string text = lower(name);
  return among(kHarmful, text) || begins_with_one_of(kHarmfulFamilies, text);
}
bool is_unwanted(std::string_view name) {
  std::string text = lower(name);
  return among(kUnwanted, text) || begins_with_one_of(kUnwantedFamilies, text);
}

Error refuse(std::string message) { return {ErrorCode::kForbidden, "query: " + std::move(message)}; }

// "  Function file (alias f) (children 1)": depth 2, kind Function, name file.
struct Node {
  size_t depth = 0;
  std::string_view kind;
  std::string_view name;
};

Node parse(std::string_view line) {
  Node node;
  node.depth = std::min(line.find_first_not_of(' '), line.size());
  line.remove_prefix(node.depth);
  if (line.ends_with(')'))
    if (size_t at = line.rfind(" (children "); at != std::string_view::npos) line = line.substr(0, at);
  if (line.ends_with(')'))
    if (size_t at = line.find(" (alias "); at != std::string_view::npos) line = line.substr(0, at);
  size_t space = line.find(' ');
  node.kind = line.substr(0, space);
  if (space != std::string_view::npos) node.name = line.substr(space + 1);
  return node;
}

Result<> judge(const Node& node, const std::vector<Node>& ancestors) {
  std::string_view parent = ancestors.empty() ? std::string_view() : ancestors.back().kind;
  if (ancestors.empty() && !among(kStatements, node.kind))
    return refuse(fmt::format("only SELECT, EXPLAIN, DESCRIBE and SHOW TABLES are answered, not {}", node.kind));
  if (!among(kKinds, node.kind)) {
    if (node.kind == "ColumnsApplyTransformer") return refuse("APPLY is refused; write the columns out");
    return refuse(fmt::format("{} is refused", node.kind));
  }
  if (node.kind == "Explain" && (!ancestors.empty() || !among(kExplanations, node.name)))
    return refuse(fmt::format("{} is refused", node.name));
  if (node.kind == "Set" && parent == "Explain") return refuse("settings of EXPLAIN are refused");
  // Beside its SELECTs a whole statement may have a FORMAT (an Identifier) and SETTINGS; a Literal is INTO OUTFILE.
  if (node.kind == "Literal" && ancestors.size() == 1 && parent == "SelectWithUnionQuery")
    return refuse("INTO OUTFILE is refused");
  if (node.kind == "Function") {
    if (parent == "TableExpression") {
      if (!among(kTableFunctions, lower(node.name)))
        return refuse(fmt::format("table function {} is refused", node.name));
    } else if (is_harmful(node.name) || is_unwanted(node.name)) {
      return refuse(fmt::format("function {} is refused", node.name));
    }
  }
  if (node.kind == "Identifier" && is_harmful(node.name))
    return refuse(fmt::format("the name {} is refused, being a function's", node.name));
  if (node.kind == "TableIdentifier") {
    size_t dot = node.name.find('.');
    if (dot != std::string_view::npos && node.name.substr(0, dot) != "weir")
      return refuse(fmt::format("table {} is not one of the public views", node.name));
  }
  return {};
}
}  // namespace

std::string_view format_in_ast(std::string_view ast) {
  // The one name right below the statement.
  for (size_t depth = 0; !ast.empty();) {
    const std::string_view line = ast.substr(0, ast.find('\n'));
    ast.remove_prefix(std::min(ast.size(), line.size() + 1));
    if (line.empty()) continue;
    const Node node = parse(line);
    if (node.depth == 0) depth = 0;
    if (depth == 0 && node.depth > 0) depth = node.depth;
    if (depth > 0 && node.depth == depth && node.kind == "Identifier") return node.name;
  }
  return {};
}

Result<> judge_ast(std::string_view ast) {
  std::vector<Node> ancestors;
  size_t nodes = 0;
  while (!ast.empty()) {
    size_t end = ast.find('\n');
    std::string_view line = ast.substr(0, end);
    ast.remove_prefix(end == std::string_view::npos ? ast.size() : end + 1);
    if (line.empty()) continue;
    Node node = parse(line);
    if (nodes > 0 && node.depth == 0) return refuse("one statement at a time");
    while (!ancestors.empty() && ancestors.back().depth >= node.depth) ancestors.pop_back();
    if (auto judged = judge(node, ancestors); !judged) return judged;
    ancestors.push_back(node);
    ++nodes;
  }
  if (nodes == 0) return refuse("an empty statement");
  return {};
}

}  // namespace weir::query
