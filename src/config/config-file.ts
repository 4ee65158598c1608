import { readFileSync } from "node:fs";
import jsonc from "jsonc-parser";
import { ConfigError } from "../errors.js";

/** A key as it stands in a file. */
export interface FileKey {
  name: string;
  value: unknown;
  /** `file:line` of the key, or of what stands at a path inside its value. */
  place(inner?: readonly (string | number)[]): string;
}

/** A top-level key, with the keys of its object; null: it is none. */
export interface FileSection extends FileKey {
  keys: FileKey[] | null;
}

/**
 * Reads a JSON file of two levels. Throws a ConfigError that names the file and the line when it cannot
 * be read, is not JSON, or gives a key twice. No error repeats what the file holds: it may be a secret.
 */
export function readConfigFile(file: string): FileSection[] {
  const text = readText(file);
  const place = (offset: number) => `${file}:${lineOfOffset(text, offset)}`;
  const root = parse(text, place);
  return propertiesOf(root, place).map(({ node, ...section }) => ({
    ...section,
    keys:
      node.type === "object"
        ? propertiesOf(node, place).map(({ name, value, place }) => ({ name, value, place }))
        : null,
  }));
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8").replace(/^\uFEFF/, "");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const why = code === "ENOENT" ? "there is no such file" : `it cannot be read (${code})`;
    throw new ConfigError(`the configuration file ${file}: ${why}`, { file });
  }
}

function parse(text: string, place: (offset: number) => string): jsonc.Node {
  const errors: jsonc.ParseError[] = [];
  const root = jsonc.parseTree(text, errors, { disallowComments: true });
  const [first] = errors;
  if (first !== undefined) {
    // CommaExpected and its like.
    const why = jsonc.printParseErrorCode(first.error).replace(/(?<=[a-z])(?=[A-Z])/g, " ");
    throw new ConfigError(`${place(first.offset)}: this is not JSON: ${why.toLowerCase()}`);
  }
  if (root?.type !== "object") {
    throw new ConfigError(`${place(0)}: expected a JSON object, such as {"pipeline": {"workers": 5}}`);
  }
  return root;
}

function propertiesOf(
  object: jsonc.Node,
  place: (offset: number) => string,
): (FileKey & { node: jsonc.Node })[] {
  const seen = new Map<string, string>();
  return (object.children ?? []).flatMap(({ offset, children = [] }) => {
    const [key, node] = children;
    if (key === undefined || node === undefined) return [];
    const name = String(key.value);
    const before = seen.get(name);
    if (before !== undefined) {
      throw new ConfigError(`${name} (${place(offset)}): it is given twice, first at ${before}`, {
        key: name,
      });
    }
    seen.set(name, place(offset));
    const placeOf = (inner: readonly (string | number)[] = []) =>
      place(inner.length === 0 ? offset : (jsonc.findNodeAtLocation(node, [...inner])?.offset ?? offset));
    return [{ name, value: jsonc.getNodeValue(node) as unknown, place: placeOf, node }];
  });
}

/** Counted from 1. */
function lineOfOffset(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
