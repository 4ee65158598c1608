/** First words of statements without a name: a few, whatever is sent. */
const words = new Set([
  "begin",
  "commit",
  "rollback",
  "copy",
  "select",
  "insert",
  "update",
  "delete",
  "with",
  "set",
]);

/** What a statement is called where its time is measured: its name, or else its first word. */
export function statementName(sent: unknown): string {
  const { name, text } = typeof sent === "string" ? { name: undefined, text: sent } : (sent as Sent);
  if (typeof name === "string") return name;
  const [, first = ""] = /^\s*([a-z]+)/i.exec(text ?? "") ?? [];
  const word = first.toLowerCase();
  return words.has(word) ? word : "other";
}

interface Sent {
  name?: unknown;
  text?: string;
}
