// mongosh syntax and JSON, for reading: what fits stays on a line, what does not is opened up.

const MONGO_TOKEN = new RegExp([
  "(?<space>\\s+)",
  "(?<comment>//[^\\n]*|/\\*[^]*?(?:\\*/|$))",
  "(?<string>\"(?:[^\"\\\\]|\\\\[^])*(?:\"|$)|'(?:[^'\\\\]|\\\\[^])*(?:'|$))",
  "(?<number>-?\\d+(?:\\.\\d+)?(?:[eE][+-]?\\d+)?)",
  "(?<word>[\\p{L}_$][\\p{L}\\p{N}_$.]*)",
  "(?<mark>[^])",
].join("|"), "gu");
const MONGO_WORDS = new Set(["true", "false", "null", "undefined", "new"]);

/** The tokens of a command; keys and operators are told from values. */
function mongoTokens(text) {
  const tokens = [];
  for (const match of text.matchAll(MONGO_TOKEN)) {
    const groups = match.groups;
    let kind = ["space", "comment", "string", "number", "word"].find((name) => groups[name] !== undefined) || "mark";
    if (kind === "word" && MONGO_WORDS.has(match[0])) kind = "keyword";
    else if (kind === "word" && match[0].startsWith("$")) kind = "keyword";
    else if (match[0] === "?" || match[0] === "…") kind = "parameter";
    tokens.push({ kind, text: match[0] });
  }
  const solid = tokens.filter((token) => token.kind !== "space");
  solid.forEach((token, at) => {
    const key = solid[at + 1] && solid[at + 1].text === ":" && ["string", "word", "keyword"].includes(token.kind);
    if (key) token.kind = /^["']?\$/.test(token.text) ? "keyword" : "key";
  });
  return solid;
}

const OPENS = { "{": "}", "[": "]", "(": ")" };

/** The tokens as a tree of brackets; a bracket that nothing closes, in a text cut short, ends with it. */
function mongoTree(tokens) {
  const root = { open: null, items: [], width: 0, close: null };
  const stack = [root];
  for (const token of tokens) {
    const top = stack[stack.length - 1];
    if (token.kind === "mark" && OPENS[token.text] && stack.length < 200) {
      const group = { open: token, items: [], width: 0, close: null };
      top.items.push(group);
      stack.push(group);
    } else if (token.kind === "mark" && top.open && OPENS[top.open.text] === token.text) {
      top.close = token;
      stack.pop();
      stack[stack.length - 1].width += top.width + 4;
    } else {
      top.items.push(token);
      top.width += token.text.length + 1;
    }
  }
  while (stack.length > 1) {
    const top = stack.pop();
    stack[stack.length - 1].width += top.width + 4;
  }
  return root;
}

/** The tokens in lines. */
function mongoLines(tokens, limit) {
  const lines = [];
  let line = { indent: 0, tokens: [], width: 0 };
  const flush = (indent) => {
    if (line.tokens.length) lines.push(line);
    line = { indent: Math.min(indent, 30), tokens: [], width: 2 * Math.min(indent, 30) };
  };
  const put = (token, blank) => {
    const before = line.tokens.length > 0 && blank;
    line.tokens.push(before ? { ...token, blank: true } : token);
    line.width += token.text.length + (before ? 1 : 0);
  };
  const walk = (group, indent, inline) => {
    let before = null;
    for (const item of group.items) {
      const text = item.open ? item.open.text : item.text;
      const blank = before !== null && ![",", ":", "."].includes(text) && text !== "(" && before !== "." && !String(before).startsWith(".") && !text.startsWith(".");
      if (!item.open) {
        put(item, blank);
        if (item.text === "," && !inline) flush(indent);
      } else {
        one(item, indent, inline, blank);
      }
      before = text;
    }
  };
  const one = (group, indent, inline, blank) => {
    const padded = group.open.text === "{";
    // The brackets of a call stay where they are when all they hold is one document or list.
    const hugging = group.open.text === "(" && group.items.length === 1 && group.items[0].open;
    put(group.open, blank);
    if (group.items.length === 0) {
      if (group.close) put(group.close, false);
    } else if (hugging) {
      one(group.items[0], indent, inline, false);
      if (group.close) put(group.close, false);
    } else if (inline || line.width + group.width + 4 <= limit) {
      const first = line.tokens.length;
      walk(group, indent, true);
      if (padded && line.tokens[first]) line.tokens[first] = { ...line.tokens[first], blank: true };
      if (group.close) put(group.close, padded);
    } else {
      flush(indent + 1);
      walk(group, indent + 1, false);
      if (group.close) {
        flush(indent);
        put(group.close, false);
      }
    }
  };
  walk(mongoTree(tokens), 0, false);
  flush(0);
  return lines;
}
