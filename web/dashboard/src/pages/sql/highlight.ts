// SQL in pieces, for colour only: what runs is judged by the server.

export interface Piece {
  text: string;
  kind: "plain" | "keyword" | "string" | "number" | "comment" | "name";
}

const KEYWORDS = new Set(
  "all and any array as asc asof between by case cast cross cube desc describe distinct else end except exists explain false final format from full global group having if ilike in inner intersect interval into is join left like limit not null offset on or order outer over partition prewhere qualify right rollup sample select semi set settings show tables then ties to totals true union using values when where window with".split(
    " ",
  ),
);
const TOKEN = /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|('(?:[^'\\]|\\[\s\S]|'')*(?:'|$))|("(?:[^"\\]|\\[\s\S])*(?:"|$)|`(?:[^`\\]|\\[\s\S])*(?:`|$))|(\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b)|([A-Za-z_]\w*)/gi;

export function pieces(sql: string): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  const add = (text: string, kind: Piece["kind"]) => {
    const last = found.at(-1);
    if (text === "") return;
    if (last && last.kind === kind) last.text += text;
    else found.push({ text, kind });
  };
  for (const match of sql.matchAll(TOKEN)) {
    add(sql.slice(at, match.index), "plain");
    const [text, comment, string, name, number] = match;
    add(text, comment ? "comment" : string ? "string" : name ? "name" : number ? "number" : KEYWORDS.has(text.toLowerCase()) ? "keyword" : "plain");
    at = match.index + text.length;
  }
  add(sql.slice(at), "plain");
  return found;
}
