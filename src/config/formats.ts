/**
 * What a configuration value may be. Called with a value it throws unless the value fits (which is
 * what convict asks of a format); `parse` turns the text of an environment variable or a flag into a
 * value first. `expected` says in words what fits.
 */
export interface Format {
  (value: unknown): void;
  expected: string;
  parse(text: string): unknown;
}

function format(
  expected: string,
  fits: (value: unknown) => boolean,
  parse: (text: string) => unknown,
): Format {
  const check = (value: unknown): void => {
    if (!fits(value)) throw new TypeError(`expected ${expected}`);
  };
  return Object.assign(check, { expected, parse });
}

/** Text that is not a number stays text, and is refused with the words of the format. */
function numberOrText(text: string): unknown {
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) ? value : text;
}

export function integer({ min, max }: { min: number; max: number }): Format {
  return format(
    `a whole number from ${min} to ${max}`,
    (value) => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max,
    numberOrText,
  );
}

export function number({ min, max }: { min: number; max: number }): Format {
  return format(
    `a number from ${min} to ${max}`,
    (value) => typeof value === "number" && value >= min && value <= max,
    numberOrText,
  );
}

export function boolean(): Format {
  const words: Record<string, boolean> = { true: true, false: false, "1": true, "0": false };
  return format(
    "true or false",
    (value) => typeof value === "boolean",
    (text) => words[text.toLowerCase()] ?? text,
  );
}

export function oneOf(words: string[]): Format {
  return format(
    `one of ${words.join(", ")}`,
    (value) => typeof value === "string" && words.includes(value),
    (text) => text,
  );
}

export function nullable(inner: Format): Format {
  return format(
    `${inner.expected}, or null`,
    (value) => {
      if (value === null) return true;
      inner(value);
      return true;
    },
    (text) => (text === "null" || text === "" ? null : inner.parse(text)),
  );
}

/** A name that needs no quoting anywhere: in SQL, in a channel's name, in a file's. */
export function identifier(): Format {
  return format(
    "a name of at most 48 letters, digits and underscores that begins with a letter or underscore",
    (value) => typeof value === "string" && /^[A-Za-z_][A-Za-z0-9_]{0,47}$/.test(value),
    (text) => text,
  );
}

function isUrl(value: unknown, schemes: string[]): boolean {
  if (typeof value !== "string" || value.length > 4_096) return false;
  try {
    return schemes.includes(new URL(value).protocol.slice(0, -1));
  } catch {
    return false;
  }
}

/** A URL; empty means that it is not set. */
export function url({ schemes }: { schemes: string[] }): Format {
  return format(
    `a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`,
    (value) => value === "" || isUrl(value, schemes),
    (text) => text,
  );
}

/** A list of URLs. As text they are separated by commas or spaces. */
export function urls({ schemes }: { schemes: string[] }): Format {
  return format(
    `a list of URLs that begin with ${schemes.map((scheme) => `${scheme}://`).join(" or ")}`,
    (value) =>
      Array.isArray(value) &&
      value.every((each) => isUrl(each, schemes)) &&
      new Set(value).size === value.length,
    (text) => text.split(/[\s,]+/).filter((each) => each !== ""),
  );
}
