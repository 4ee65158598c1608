import type { ClientBase } from "pg";
import { to as copyTo } from "pg-copy-streams";

const headerBytes = 19;
const trailerBytes = 2;

/** A query's rows in the binary COPY format, without its header and trailer. All of them at once: the caller bounds them. */
export async function copyOut(client: ClientBase, query: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of client.query(copyTo(`copy (${query}) to stdout (format binary)`)))
    chunks.push(chunk as Buffer);
  const all = Buffer.concat(chunks);
  return all.subarray(headerBytes, all.length - trailerBytes);
}
