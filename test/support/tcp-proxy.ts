// A TCP proxy in front of PostgreSQL that can make connections silently dead, as a firewall does that
// has forgotten them: what is sent goes nowhere, nothing is reset, keepalives are answered. It knows a
// connection by the application_name in its startup packet, so TLS is refused (as a server without it does).

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** The same URL, through the proxy. */
  urlOf(databaseUrl: string): string;
  /**
   * From now on nothing passes, in either direction, on the open connections whose application_name
   * matches. Later ones are not frozen. Returns how many it froze now.
   */
  freeze(applicationName: RegExp): number;
  /** Lets everything pass again, and first what was held up. */
  thaw(): void;
  /** Destroys every connection, frozen or not. */
  close(): Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startTcpProxy({ to }: { to: { host: string; port: number } }): Promise<TcpProxy> {
  const links = new Set<Link>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const link = join(client, connect({ ...to, allowHalfOpen: true }));
    links.add(link);
    link.onClosed(() => links.delete(link));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const { port } = address;

  return {
    port,
    urlOf(databaseUrl) {
      const url = new URL(databaseUrl);
      url.hostname = "127.0.0.1";
      url.port = String(port);
      return url.href;
    },
    freeze(applicationName) {
      const chosen = [...links].filter(
        (link) => !link.isFrozen() && link.name !== undefined && applicationName.test(link.name),
      );
      for (const link of chosen) link.freeze();
      return chosen.length;
    },
    thaw() {
      for (const link of links) link.thaw();
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const link of links) link.destroy();
      await closed;
    },
  };
}

interface Link {
  /** The client's application_name, once it has said it; "": it says none (a cancel request). */
  readonly name: string | undefined;
  isFrozen(): boolean;
  freeze(): void;
  thaw(): void;
  destroy(): void;
  onClosed(listener: () => void): void;
}

function join(client: Socket, server: Socket): Link {
  let name: string | undefined;
  let frozen = false;
  let greeting: Buffer = Buffer.alloc(0);
  let closed = (): void => {};

  const destroy = (): void => {
    client.destroy();
    server.destroy();
    closed();
  };
  const pass = (from: Socket, to: Socket, chunk: Buffer): void => {
    if (!to.write(chunk)) from.pause();
  };
  client.on("data", (chunk: Buffer) => {
    if (name !== undefined) return pass(client, server, chunk);
    greeting = Buffer.concat([greeting, chunk]);
    while (asksForEncryption(greeting)) {
      client.write("N");
      greeting = greeting.subarray(8);
    }
    name = applicationNameOf(greeting);
    if (name !== undefined) pass(client, server, greeting);
  });
  server.on("data", (chunk: Buffer) => pass(server, client, chunk));
  for (const [from, to] of [
    [client, server],
    [server, client],
  ] as const) {
    from.setNoDelay(true);
    from.on("end", () => to.end());
    to.on("drain", () => {
      if (!frozen) from.resume();
    });
    // The other side of a dead connection does not hear of it.
    from.on("close", () => {
      if (!frozen) destroy();
    });
    from.on("error", () => {});
  }

  return {
    get name() {
      return name;
    },
    isFrozen: () => frozen,
    // Paused, a socket is not read, and so does not notice that it was closed either.
    freeze() {
      frozen = true;
      client.pause();
      server.pause();
    },
    thaw() {
      if (!frozen) return;
      frozen = false;
      if (client.destroyed || server.destroyed) return destroy();
      client.resume();
      server.resume();
    },
    destroy,
    onClosed(listener) {
      closed = listener;
    },
  };
}

// https://www.postgresql.org/docs/current/protocol-message-formats.html: SSLRequest and GSSENCRequest.
function asksForEncryption(packet: Buffer): boolean {
  return (
    packet.length >= 8 && packet.readInt32BE(0) === 8 && [80877103, 80877104].includes(packet.readInt32BE(4))
  );
}

/** From a StartupMessage; undefined until the whole of it is there, "" from whatever else opens a connection. */
function applicationNameOf(packet: Buffer): string | undefined {
  if (packet.length < 8 || packet.length < packet.readInt32BE(0)) return undefined;
  if (packet.readInt32BE(4) !== 196608) return "";
  const words = packet.toString("utf8", 8, packet.readInt32BE(0)).split("\0");
  for (let i = 0; i + 1 < words.length; i += 2) {
    if (words[i] === "application_name") return words[i + 1];
  }
  return "";
}
