import type { ClientBase } from "pg";
import { from as copyFrom } from "pg-copy-streams";

/**
 * Runs a COPY FROM STDIN and returns how many rows it wrote. One chunk is handed over at a time, each
 * when the socket took the one before; so no more is held than that. Throws what PostgreSQL answers.
 * An error that `chunks` throws ends the COPY first, so that the connection can be used again.
 */
export function copyIn(client: ClientBase, statement: string, chunks: Iterable<Buffer>): Promise<number> {
  const stream = client.query(copyFrom(statement));
  const source = chunks[Symbol.iterator]();
  return new Promise((resolve, reject) => {
    let chunksError: unknown;
    // Stays on: an error without a listener would end the process.
    stream.on("error", (error) => reject(chunksError ?? error));
    stream.once("finish", () => resolve(stream.rowCount));
    const next = (): void => {
      try {
        const chunk = source.next();
        if (chunk.done) stream.end();
        // After an error the stream has no connection, and must not be written to again.
        else stream.write(chunk.value, (error) => (error ? reject(chunksError ?? error) : next()));
      } catch (error) {
        chunksError = error;
        stream.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    };
    next();
  });
}
