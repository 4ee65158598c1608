// Every small change of a document: what a node that is wrong in one place sends.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Variant {
  /** Such as `block.transactions[1].value: its last digit`. */
  name: string;
  document: Json;
}

/** The document with one thing changed, for each thing in it, in every way. */
export function* variantsOf(document: Json): Generator<Variant> {
  for (const { path, name } of placesOf(document)) {
    for (const [how, change] of Object.entries(changes)) {
      const copy = structuredClone(document);
      if (change(holderOf(copy, path), path.at(-1) ?? "")) yield { name: `${name}: ${how}`, document: copy };
    }
  }
}

type Holder = Record<string | number, Json>;
type Path = (string | number)[];

/** Each makes its change, or returns false where there is nothing of the kind. */
const changes: Record<string, (holder: Holder, key: string | number) => boolean> = {
  "its last digit": (holder, key) => replace(holder, key, (text) => text.replace(/[0-9a-f]$/, flipped)),
  "its first digit": (holder, key) =>
    replace(holder, key, (text) => text.replace(/(?<=^0x)[0-9a-f]/, flipped)),
  "a digit more": (holder, key) => replace(holder, key, (text) => `${text}1`),
  "two digits less": (holder, key) => replace(holder, key, (text) => text.slice(0, -2)),
  "a letter that is no digit": (holder, key) => replace(holder, key, (text) => text.replace(/.$/, "g")),
  "upper case": (holder, key) =>
    replace(holder, key, (text) => text.replace(/(?<=^0x.*)[a-f]/, (a) => a.toUpperCase())),
  "a leading zero": (holder, key) => replace(holder, key, (text) => text.replace(/^0x/, "0x0")),
  zero: (holder, key) => replace(holder, key, () => "0x0"),
  one: (holder, key) => replace(holder, key, () => "0x1"),
  null: (holder, key) => put(holder, key, null),
  missing: (holder, key) => {
    // Null means the same.
    if (Array.isArray(holder) || holder[key] === null) return false;
    delete holder[key];
    return true;
  },
  "under another name": (holder, key) => {
    if (Array.isArray(holder)) return false;
    holder[`${key}_`] = holder[key] ?? null;
    delete holder[key];
    return true;
  },
  "a text": (holder, key) => put(holder, key, "a"),
  "an empty text": (holder, key) => put(holder, key, ""),
  "no digits": (holder, key) => put(holder, key, "0x"),
  "an object": (holder, key) => put(holder, key, {}),
  "a list": (holder, key) => put(holder, key, []),
  true: (holder, key) => put(holder, key, true),
  "a number": (holder, key) => put(holder, key, 1),
  removed: (holder, key) => Array.isArray(holder) && holder.splice(Number(key), 1).length > 0,
  repeated: (holder, key) =>
    Array.isArray(holder) && holder.splice(Number(key), 0, holder[key] ?? null) !== null,
  "moved to the end": (holder, key) =>
    Array.isArray(holder) && holder.push(...holder.splice(Number(key), 1)) > 0,
};

const flipped = (digit: string): string => (Number.parseInt(digit, 16) ^ 1).toString(16);

function put(holder: Holder, key: string | number, value: Json): boolean {
  holder[key] = value;
  return true;
}

function replace(holder: Holder, key: string | number, change: (text: string) => string): boolean {
  const value = holder[key];
  if (typeof value !== "string" || change(value) === value) return false;
  return put(holder, key, change(value));
}

function holderOf(document: Json, path: Path): Holder {
  return path.slice(0, -1).reduce<Json>((at, key) => (at as Holder)[key] ?? null, document) as Holder;
}

function* placesOf(value: Json, path: Path = [], name = ""): Generator<{ path: Path; name: string }> {
  if (path.length > 0) yield { path, name };
  if (typeof value !== "object" || value === null) return;
  for (const [key, inside] of Object.entries(value)) {
    const own = Array.isArray(value) ? Number(key) : key;
    yield* placesOf(inside, [...path, own], Array.isArray(value) ? `${name}[${key}]` : `${name}.${key}`);
  }
}
