import { Buffer } from "node:buffer";

/** An answer says at its beginning what it is, whatever the order of its fields. */
const looksAtBytes = 1_024;
const braceOpen = "{".charCodeAt(0);
const result = Buffer.from('"result"');
const error = Buffer.from('"error"');
const noError = Buffer.from('"error":null');

/**
 * Whether an answer may be an error, or none to JSON-RPC: then it is parsed at once, for the endpoint is judged by it.
 * `chunks` may be cut anywhere.
 */
export function mayBeError(chunks: readonly Buffer[]): boolean {
  const [first] = chunks;
  if (first?.[0] !== braceOpen) return true;
  // Cut off there, or filled up with zeros.
  const beginning = Buffer.concat(chunks, looksAtBytes);
  if (!beginning.includes(result)) return true;
  const at = beginning.indexOf(error);
  // The first is the answer's own; others may be deep in it.
  return at !== -1 && at !== beginning.indexOf(noError);
}
