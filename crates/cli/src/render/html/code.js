// Statements as elements: coloured, and laid out when there is room for it.

/** Longer texts are shown as they are: nobody reads them, and everybody waits for them. */
const HIGHLIGHTED = 60000;

/** A statement in one line of at most about `limit` letters, coloured. */
function codeLine(text, engine, limit) {
  const begin = text.slice(0, limit + 200);
  const tokens = engine === "mongodb" ? mongoLines(mongoTokens(begin), 1e9).flatMap(lineTokens) : sqlTokens(begin);
  const out = el("code", { class: "one" });
  let used = 0;
  for (const token of tokens) {
    const shown = token.kind === "space" ? " " : token.text.replace(/\s+/g, " ");
    const lead = token.blank ? " " : "";
    if (used + shown.length > limit) {
      out.append(`${lead}${shown.slice(0, Math.max(0, limit - used))}…`);
      return out;
    }
    out.append(lead, ink(token.kind, shown));
    used += shown.length + lead.length;
  }
  return out;
}

const lineTokens = (line) => line.tokens.map((token, at) => (at === 0 ? { ...token, blank: true } : token));

/** A statement laid out over lines, as a block that scrolls by itself. */
function codeBlock(text, engine) {
  const pre = el("pre", { class: "code", tabindex: "0" });
  if (text.length > HIGHLIGHTED) {
    pre.append(text);
    return pre;
  }
  const lines = engine === "mongodb" ? mongoLines(mongoTokens(text), 88) : sqlLines(sqlTokens(text), 88);
  for (const line of lines) {
    pre.append("  ".repeat(line.indent));
    for (const token of line.tokens) pre.append(token.blank ? " " : "", ink(token.kind, token.text));
    pre.append("\n");
  }
  return pre;
}

function ink(kind, text) {
  return kind === "mark" || kind === "word" || kind === "space" ? text : el("span", { class: `t-${kind}`, text });
}
