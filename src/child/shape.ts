// Reading what another process said, which may be of another version: what does not fit is left out.

/** Reads a value; undefined: it is none of this kind. */
export type Reader<T> = (said: unknown) => T | undefined;

/** The fields of a record, each with its reader. */
export type Shape = Readonly<Record<string, Reader<unknown>>>;

/** What a shape reads. */
export type ReadBy<S extends Shape> = { -readonly [K in keyof S]?: NonNullable<ReturnType<S[K]>> };

export const number: Reader<number> = (said) => (typeof said === "number" ? said : undefined);
export const text: Reader<string> = (said) => (typeof said === "string" ? said : undefined);
export const flag: Reader<boolean> = (said) => (typeof said === "boolean" ? said : undefined);

/** A list, without the items that are of another kind. */
export function listOf<T>(read: Reader<T>): Reader<NonNullable<T>[]> {
  return (said) => (Array.isArray(said) ? said.flatMap((item: unknown) => read(item) ?? []) : undefined);
}

/** The fields of `shape` that are there and fit. */
export function readRecord<S extends Shape>(shape: S, said: unknown): ReadBy<S> {
  if (typeof said !== "object" || said === null) return {};
  const fields = Object.entries(shape).flatMap(([name, read]) => {
    const value = read((said as Record<string, unknown>)[name]);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(fields) as ReadBy<S>;
}
