/** What pg sends: a statement with numbered parameters. */
export interface BoundStatement {
  name?: string;
  text: string;
  values: unknown[];
}

/** What a parameter stands between: strings, identifiers and comments, which are left alone, and casts. */
const pieces = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|::|:([a-z]\w*)/gi;

/**
 * Makes a statement whose parameters have names: `:worker_id` in `text` is the value of `worker_id`, wherever and
 * however often it stands. Reads the text once; to be called as a module loads. `name`, where there is one, has the
 * statement prepared under it.
 *
 * Throws when `text` has numbered parameters as well. What it returns throws when a value is missing (null is a
 * value, undefined is none) or is not asked for.
 */
export function namedParameters<P extends object>(
  text: string,
  name?: string,
): (parameters: P) => BoundStatement {
  if (/\$\d/.test(text)) throw new Error("parameters of a statement have names or numbers, not both");
  const names: string[] = [];
  const numbered = text.replace(pieces, (piece, parameter: string | undefined) => {
    if (parameter === undefined) return piece;
    if (!names.includes(parameter)) names.push(parameter);
    return `$${names.indexOf(parameter) + 1}`;
  });
  return (parameters) => {
    const given = parameters as Record<string, unknown>;
    const values = names.map((each) => {
      if (given[each] === undefined) throw new Error(`no value for the parameter :${each}`);
      return given[each];
    });
    const extra = Object.keys(given).filter((each) => !names.includes(each));
    if (extra.length > 0) throw new Error(`the statement has no parameter :${extra.join(", :")}`);
    return { ...(name === undefined ? {} : { name }), text: numbered, values };
  };
}
