#include "weir/query/sql_guard.h"

#include <gtest/gtest.h>

namespace weir::query {
namespace {

std::string verdict(std::string_view ast) {
  auto judged = judge_ast(ast);
  return judged ? "fine" : judged.error().message;
}

constexpr std::string_view kSelect =
    "SelectWithUnionQuery (children 1)\n"
    " ExpressionList (children 1)\n"
    "  SelectQuery (children 2)\n"
    "   ExpressionList (children 1)\n"
    "    Function count (alias file) (children 1)\n"
    "     ExpressionList\n"
    "   TablesInSelectQuery (children 1)\n"
    "    TablesInSelectQueryElement (children 1)\n"
    "     TableExpression (children 1)\n";

std::string select_from(std::string_view table) { return std::string(kSelect) + "      " + std::string(table) + "\n"; }
std::string select_expression(std::string_view expression) {
  return "SelectWithUnionQuery (children 1)\n ExpressionList (children 1)\n  SelectQuery (children 1)\n   "
         "ExpressionList "
         "(children 1)\n    " +
         std::string(expression) + "\n";
}

TEST(SqlGuard, LetsASelectThrough) {
  EXPECT_EQ(verdict(select_from("TableIdentifier events")), "fine");
  EXPECT_EQ(verdict(select_from("TableIdentifier weir.events (alias e)")), "fine");
  EXPECT_EQ(verdict(select_from("Function numbers (children 1)")), "fine");
}

TEST(SqlGuard, RefusesOtherTables) {
  for (auto table : {"TableIdentifier weir_data.events", "TableIdentifier system.tables",
                     "TableIdentifier weir_data.events (alias weir.events)", "TableIdentifier WEIR_DATA.events"})
    EXPECT_NE(verdict(select_from(table)).find("is not one of the public views"), std::string::npos) << table;
}

TEST(SqlGuard, RefusesTableFunctionsButAFew) {
  for (auto name :
       {"file", "url", "remote", "s3", "merge", "mergeTreeIndex", "viewExplain", "view", "dictionary", "input"})
    EXPECT_EQ(verdict(select_from("Function " + std::string(name) + " (children 1)")),
              "query: table function " + std::string(name) + " is refused");
}

TEST(SqlGuard, RefusesFunctionsThatReachOutside) {
  for (auto name : {"file", "FILE", "File", "hostName", "dictGetString", "getClientHTTPHeader", "sleepEachRow",
                    "aiGenerate", "joinGet", "__scalarSubqueryResult"}) {
    EXPECT_EQ(verdict(select_expression("Function " + std::string(name) + " (children 1)")),
              "query: function " + std::string(name) + " is refused");
    EXPECT_EQ(verdict(select_expression("Function " + std::string(name) + " (alias a (alias b) (children 1)")),
              "query: function " + std::string(name) + " is refused");
  }
  EXPECT_EQ(verdict(select_expression("Function profile (children 1)")), "fine");
}

// arrayMap(file, ['/etc/hostname']) runs the function though its node is an Identifier.
TEST(SqlGuard, RefusesTheNameOfAFunctionAsAnArgument) {
  EXPECT_EQ(verdict(select_expression("Identifier file")), "query: the name file is refused, being a function's");
  EXPECT_EQ(verdict(select_expression("Identifier FILE (alias x)")),
            "query: the name FILE is refused, being a function's");
  EXPECT_EQ(verdict(select_expression("Identifier events.file")), "fine");
}

TEST(SqlGuard, TakesNoColumnForAFunctionOfItsName) {
  for (std::string name : {"hostname", "region", "user", "uptime", "dictionary", "tid"})
    EXPECT_EQ(verdict(select_expression("Identifier " + name)), "fine") << name;
  for (std::string name : {"hostname", "regionToName", "user", "uptime", "tid"})
    EXPECT_NE(verdict(select_expression("Function " + name)), "fine") << name;
}

TEST(SqlGuard, RefusesWhatHidesNames) {
  EXPECT_NE(verdict(select_expression("Asterisk (children 1)\n     ColumnsTransformerList (children 1)\n      "
                                      "ColumnsApplyTransformer")),
            "fine");
}

TEST(SqlGuard, RefusesOtherStatements) {
  for (auto statement : {"Set", "UseQuery x (children 1)", "InsertQuery", "CreateQuery", "DropQuery", "KillQueryQuery",
                         "ShowGrantsQuery", "ShowAccessQuery", "ParallelWithQuery 2", "Literal 1", "Identifier x"})
    EXPECT_NE(verdict(statement), "fine") << statement;
  EXPECT_NE(verdict(""), "fine");
  EXPECT_NE(verdict(select_from("TableIdentifier events") + select_from("TableIdentifier events")), "fine");
}

TEST(SqlGuard, RefusesUnknownNodes) {
  EXPECT_EQ(verdict(select_expression("BrandNewNode (children 1)")), "query: BrandNewNode is refused");
}

TEST(SqlGuard, RefusesIntoOutfile) {
  EXPECT_EQ(verdict("SelectWithUnionQuery (children 2)\n ExpressionList (children 1)\n  SelectQuery (children 1)\n   "
                    "ExpressionList (children 1)\n    Literal UInt64_1\n Literal \\'a\\'\n"),
            "query: INTO OUTFILE is refused");
}

TEST(SqlGuard, LimitsExplain) {
  EXPECT_EQ(verdict("Explain EXPLAIN (children 1)\n SelectWithUnionQuery (children 1)\n"), "fine");
  EXPECT_NE(verdict("Explain EXPLAIN ESTIMATE (children 1)\n SelectWithUnionQuery (children 1)\n"), "fine");
  EXPECT_NE(verdict("Explain EXPLAIN (children 2)\n Set\n SelectWithUnionQuery (children 1)\n"), "fine");
  EXPECT_NE(verdict("Explain EXPLAIN (children 1)\n InsertQuery\n"), "fine");
}

}  // namespace
}  // namespace weir::query
