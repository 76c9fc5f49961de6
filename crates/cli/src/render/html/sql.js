// SQL, for reading: tokens, colours, and lines broken where a person would break them.

const SQL_WORDS = new Set(`ALL ALTER ANALYZE AND ANY ARRAY AS ASC BEGIN BETWEEN BY CASE CAST COMMIT CONFLICT COPY CREATE CROSS
CURRENT DELETE DESC DISTINCT DO DROP ELSE END EXCEPT EXISTS EXPLAIN FALSE FETCH FILTER FIRST FOLLOWING FOR FROM FULL FUNCTION
GRANT GROUP HAVING ILIKE IN INDEX INNER INSERT INTERSECT INTERVAL INTO IS JOIN LAST LATERAL LEFT LIKE LIMIT LOCK MATERIALIZED
MERGE NATURAL NOT NOTHING NOWAIT NULL NULLS OF OFFSET ON ONLY OR ORDER ORDINALITY OUTER OVER PARTITION PRECEDING RANGE RECURSIVE
REFERENCES REFRESH RETURNING RIGHT ROLLBACK ROW ROWS SELECT SET SHARE SIMILAR SKIP SOME TABLE TABLESAMPLE THEN TO TRUE TRUNCATE
UNBOUNDED UNION UNIQUE UPDATE USING VACUUM VALUES VIEW WHEN WHERE WINDOW WITH WITHIN WITHOUT`.split(/\s+/));

const SQL_TOKEN = new RegExp([
  "(?<space>\\s+)",
  "(?<comment>--[^\\n]*|/\\*[^]*?(?:\\*/|$))",
  "(?<string>[eE]'(?:[^'\\\\]|''|\\\\[^])*(?:'|$)|'(?:[^']|'')*(?:'|$)|(?<tag>\\$(?:[A-Za-z_]\\w*)?\\$)[^]*?(?:\\k<tag>|$))",
  '(?<name>"(?:[^"]|"")*(?:"|$))',
  "(?<parameter>\\$\\d+)",
  "(?<number>\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+)?)",
  "(?<word>[\\p{L}_][\\p{L}\\p{N}_$]*)",
  "(?<mark>::|[-+*/<>=~!@#%^&|`?]+|[^])",
].join("|"), "gu");

/** The tokens of a statement, with keywords told from names. */
function sqlTokens(text) {
  const tokens = [];
  for (const match of text.matchAll(SQL_TOKEN)) {
    const groups = match.groups;
    let kind = ["space", "comment", "string", "name", "parameter", "number", "word"].find((name) => groups[name] !== undefined) || "mark";
    if (kind === "word" && SQL_WORDS.has(match[0].toUpperCase())) kind = "keyword";
    tokens.push({ kind, text: match[0], upper: kind === "keyword" ? match[0].toUpperCase() : "" });
  }
  return tokens;
}

const CLAUSES = new Set(["SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "UNION", "INTERSECT", "EXCEPT",
  "SET", "VALUES", "RETURNING", "JOIN", "LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "INSERT", "UPDATE", "DELETE", "FETCH", "WINDOW"]);
const AFTER_JOIN_WORD = new Set(["LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "OUTER"]);

/** Whether `token` begins a line of its own, given the keyword before it and the parenthesis around it. */
function breaksBefore(token, last, scope, next) {
  if (!scope.query || !CLAUSES.has(token.upper)) return false;
  if (token.upper === "JOIN" && AFTER_JOIN_WORD.has(last)) return false;
  if (["INNER", "NATURAL"].includes(token.upper) && AFTER_JOIN_WORD.has(last)) return false;
  // left(x, 2) and right(x, 2) are functions.
  if (["LEFT", "RIGHT"].includes(token.upper) && next === "(") return false;
  if (["UPDATE", "SET"].includes(token.upper) && ["FOR", "DO", "UPDATE", "KEY"].includes(last)) return token.upper === "SET" && last !== "FOR";
  if (token.upper === "FROM" && ["DISTINCT", "DELETE"].includes(last)) return false;
  if (token.upper === "SELECT" && last === "(") return false;
  return !(token.upper === "ORDER" && scope.call);
}

/**
 * The tokens again with line breaks and blanks: clauses, AND and OR on lines of their own,
 * sub-queries indented, long lists wrapped.
 */
function sqlLines(tokens, limit) {
  const solid = tokens.filter((token) => token.kind !== "space");
  const lines = [];
  let line = { indent: 0, tokens: [], width: 0 };
  const scopes = [{ query: true, indent: 0, between: false }];
  let last = "";
  const flush = (indent) => {
    if (line.tokens.length) lines.push(line);
    line = { indent: Math.min(indent, 20), tokens: [], width: 2 * Math.min(indent, 20) };
  };
  solid.forEach((token, at) => {
    const before = solid[at - 1];
    const next = solid[at + 1];
    let scope = scopes[scopes.length - 1];
    if (token.text === ")" && scopes.length > 1) {
      scopes.pop();
      if (scope.sub) flush(scopes[scopes.length - 1].indent);
      scope = scopes[scopes.length - 1];
    } else if (breaksBefore(token, last, scope, next && next.text)) {
      flush(scope.indent);
    } else if (["AND", "OR"].includes(token.upper) && scope.query && !scope.between && !scope.cases) {
      flush(scope.indent + 1);
    } else if (line.width + token.text.length > limit && line.tokens.length > 1 && before && (before.text === "," || token.kind === "keyword")) {
      flush(scope.indent + 1 + (scope.call ? 1 : 0));
    }
    if (token.upper === "BETWEEN") scope.between = true;
    else if (token.upper === "AND") scope.between = false;
    if (token.upper === "CASE") scope.cases = (scope.cases || 0) + 1;
    else if (token.upper === "END" && scope.cases) scope.cases -= 1;
    const blank = line.tokens.length > 0 && spaced(before, token);
    line.tokens.push(blank ? { ...token, blank } : token);
    line.width += token.text.length + (blank ? 1 : 0);
    if (token.text === "(") {
      const sub = next && ["SELECT", "WITH", "VALUES"].includes(next.upper) && next.upper !== "VALUES";
      scopes.push({ query: sub, sub, call: !sub, indent: scope.indent + (sub ? 1 : 0) });
      if (sub) flush(scope.indent + 1);
    } else if (token.kind === "comment" && token.text.startsWith("--")) {
      flush(scope.indent + 1);
    } else if (token.text === ";" && scopes.length === 1) {
      flush(0);
    }
    last = token.upper || token.text;
  });
  flush(0);
  return lines;
}

/** Whether a blank stands between two tokens. */
function spaced(before, token) {
  if (!before) return false;
  if ([",", ";", ")", "]", ".", "::"].includes(token.text) || ["(", "[", ".", "::"].includes(before.text)) return false;
  if (token.text === "[") return false;
  if (token.text === "(") {
    // A function's parenthesis stands close to its name.
    const call = ["word", "name"].includes(before.kind) || ["LEFT", "RIGHT", "ANY", "ALL", "SOME", "ROW"].includes(before.upper);
    return !call;
  }
  return true;
}
