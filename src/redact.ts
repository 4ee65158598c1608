/** Takes every secret out of a text. */
export type Redact = (text: string) => string;

// user:password@, and what comes behind the host: providers put their keys into the path or the query.
const url = /\b(https?|wss?|postgres(?:ql)?):\/\/(?:[^\s/@"'`]*@)?([^\s/?#"'`\\]+)[^\s"'`\\)\]}>,;]*/gi;

/**
 * A Redact that shortens every URL to its scheme and host, and blots out the given secrets wherever
 * they stand. `secrets` shorter than 4 characters are left: they would blot out ordinary text.
 */
export function createRedact(secrets: string[]): Redact {
  const blots = [...new Set(secrets.filter((secret) => secret.length >= 4))].sort(
    (a, b) => b.length - a.length,
  );
  return (text) => {
    let clean = text.replace(url, "$1://$2");
    for (const blot of blots) clean = clean.replaceAll(blot, "[redacted]");
    return clean;
  };
}

/** The same value, with each text in it redacted. */
export function redactTexts<T>(value: T, redact: Redact): T;
export function redactTexts(value: unknown, redact: Redact): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((each) => redactTexts(each, redact));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, redactTexts(each, redact)]));
}

/** The secret parts of a URL: its user's password, its path, its query; each as written and decoded. */
export function secretsOfUrl(text: string): string[] {
  if (text === "" || !URL.canParse(text)) return [];
  const parsed = new URL(text);
  const isDatabase = parsed.protocol.startsWith("postgres");
  // A database's path is its name. Of a node's URL, path and query may each be the key.
  const parts = isDatabase
    ? [parsed.password, parsed.searchParams.get("password") ?? ""]
    : [
        parsed.username,
        parsed.password,
        ...parsed.pathname.split("/").filter(looksSecret),
        ...parsed.searchParams.values(),
      ];
  return parts.flatMap((part) => (part === "" ? [] : [part, decode(part)]));
}

// /v2/ and /rpc are words; keys are long.
function looksSecret(segment: string): boolean {
  return segment.length >= 8;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
