import { Buffer } from "node:buffer";

/** An error is short, and says so at its beginning, whatever the order of its fields. */
const looksAtBytes = 1_024;
const braceOpen = "{".charCodeAt(0);
const said = Buffer.from('"error"');
const saidToBeNone = Buffer.from('"error":null');

/**
 * Whether an answer may be an error, or none to JSON-RPC: then it is parsed at once, for the endpoint is judged by it.
 * `chunks` may be cut anywhere.
 */
export function mayBeError(chunks: readonly Buffer[]): boolean {
  const [first] = chunks;
  if (first?.[0] !== braceOpen) return true;
  // Cut off there, or filled up with zeros.
  const beginning = Buffer.concat(chunks, looksAtBytes);
  return beginning.includes(said) && !beginning.includes(saidToBeNone);
}
