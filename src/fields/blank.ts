/**
 * An object with these names, all null, for objects of one shape to begin as copies of: `{ ...blank }`. It is read from
 * JSON, since V8 makes a dictionary, which is slow to read, of an object to which more than 12 properties are added by
 * computed names.
 */
export function blankOf(names: readonly string[]): Record<string, unknown> {
  return JSON.parse(`{${names.map((name) => `${JSON.stringify(name)}:null`).join()}}`);
}
