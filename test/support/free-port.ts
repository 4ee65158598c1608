import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * A TCP port of 127.0.0.1 that nobody listens on. It lies below the range that systems take
 * outgoing ports from (Linux: 32768 and up), so that no connection can take it while the server
 * that owns it restarts. Two callers may still draw the same one: whoever binds it must be ready to
 * draw again.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = randomInt(20_000, 32_000);
    if (await canListen(port)) return port;
  }
  throw new Error("no free TCP port on 127.0.0.1 among 100 that were tried");
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}
