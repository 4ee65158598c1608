// Who is told of alerts in tests: a real HTTP server, and a real program.

import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import type { AlertMessage } from "../../src/orchestrator/alerts/sinks.js";

export interface Webhook {
  url: string;
  /** What it was sent, in that order, taken or not. */
  got: AlertMessage[];
  /** What it answers with from now on; undefined: nothing at all. */
  status: number | undefined;
  /** Where a redirect points. */
  location?: string;
}

/** A server that takes alerts until the test ends. */
export async function startWebhook(t: TestContext): Promise<Webhook> {
  const webhook: Webhook = { url: "", got: [], status: 204 };
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
    request.on("end", () => {
      if (request.method === "POST") webhook.got.push(JSON.parse(text) as AlertMessage);
      const { status, location } = webhook;
      if (status !== undefined) response.writeHead(status, location === undefined ? {} : { location }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  webhook.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a-secret-path`;
  return webhook;
}

/** A directory with a program that keeps what it is given. */
export function makeProgram(t: TestContext): {
  directory: string;
  got(): { args: string; message: AlertMessage }[];
} {
  const directory = mkdtempSync(path.join(tmpdir(), "blockmill-alerts-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const program = path.join(directory, "keep");
  writeFileSync(program, `#!/bin/sh\n{ echo "$*"; cat; } >> ${directory}/got.txt\n`);
  chmodSync(program, 0o755);
  writeFileSync(path.join(directory, "got.txt"), "", { mode: 0o644 });
  return {
    directory,
    got() {
      const lines = readFileSync(path.join(directory, "got.txt"), "utf8").split("\n");
      const found = [];
      // What follows the last newline is not all there yet.
      for (let i = 0; i + 2 < lines.length; i += 2)
        found.push({ args: lines[i] ?? "", message: JSON.parse(lines[i + 1] ?? "") as AlertMessage });
      return found;
    },
  };
}
