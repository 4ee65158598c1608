// A daemon that serves HTTP on a port of its own, and requests to it as they are written.

import { request } from "node:http";
import { createConnection } from "node:net";
import type { Daemon } from "../support/daemon.js";

/** What a test asks with: headers as they go out. */
export interface Request {
  path: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface Response {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** Where a daemon serves, from the line in which it says so. */
export async function addressOf(daemon: Daemon, from = 0): Promise<string> {
  const line = await daemon.program.line(/"msg":"serving http:\/\//, { from });
  return (JSON.parse(line) as { address: string }).address;
}

/** One request on a connection of its own. `to`: HOST:PORT, or the path of a Unix socket. */
export function ask(to: string, { path, method = "GET", headers = {}, body }: Request): Promise<Response> {
  const [host, port] = to.split(":");
  const place = to.startsWith("/") ? { socketPath: to } : { host, port };
  return new Promise((resolve, reject) => {
    const sent = request({ ...place, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Sends bytes as they are, and resolves with what came until the other side closed. */
export function sendRaw(to: string, bytes: string): Promise<string> {
  const [host = "", port] = to.split(":");
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port: Number(port) });
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
    socket.write(bytes);
  });
}
