// How `systemctl reload` reaches the daemon: a Unix socket in the service's runtime directory, which only
// its user (and root) can open. One request per connection, one answer; the answer carries the reason.

import { rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import path from "node:path";
import { BlockmillError, ConfigError, DatabaseUnavailableError, describeError } from "../errors.js";

/** A request; a supervisor refuses a type that it does not know. */
interface Request {
  type: "reload";
}

type Answer = { done: true } | { failed: string };

const longestLine = 65_536;

/** Listens in `directory` until it is closed. `reload` resolves when the reload is done. */
export function listenForControl({
  directory,
  reload,
}: {
  directory: string;
  reload(): Promise<void>;
}): () => void {
  const file = socketIn(directory);
  // One that a killed predecessor left.
  rmSync(file, { force: true });
  const server = createServer((socket) => {
    socket.on("error", () => {});
    void answer(socket, reload).then((said) => socket.end(`${JSON.stringify(said)}\n`));
  });
  // Without it nothing but the reload is lost, and that says so itself.
  server.on("error", () => {});
  server.listen(file);
  return () => server.close();
}

async function answer(socket: Socket, reload: () => Promise<void>): Promise<Answer> {
  try {
    const request = JSON.parse(await readLine(socket)) as Request;
    if (request.type !== "reload") {
      return {
        failed: `this supervisor does not know the request ${String(request.type).slice(0, 40)}: restart it`,
      };
    }
    await reload();
    return { done: true };
  } catch (error) {
    return { failed: describeError(error) };
  }
}

/** Asks the daemon that owns `directory` to reload. Throws a ConfigError with its reason if it does not. */
export async function askToReload(directory: string): Promise<void> {
  const socket = createConnection(socketIn(directory));
  try {
    const request: Request = { type: "reload" };
    socket.write(`${JSON.stringify(request)}\n`);
    const said = JSON.parse(await readLine(socket)) as Answer;
    if ("failed" in said) throw new ConfigError(`the reload failed: ${said.failed}`);
  } catch (error) {
    if (error instanceof BlockmillError) throw error;
    throw new DatabaseUnavailableError("the daemon does not answer", {}, { cause: error });
  } finally {
    socket.destroy();
  }
}

function socketIn(directory: string): string {
  return path.join(directory, "control");
}

function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
      const end = text.indexOf("\n");
      if (end !== -1) resolve(text.slice(0, end));
      else if (text.length > longestLine) reject(new Error("the other side says too much"));
    });
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the other side went away")));
  });
}
