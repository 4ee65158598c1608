// One endpoint: an HTTP and WebSocket server with its own view of the chain and its own faults.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { createGzip } from "node:zlib";
import type { WebSocket } from "ws";
import { Answerer, parseRequest, type Reply, type Request } from "./answerer.js";
import type { CallLog } from "./call-log.js";
import type { Canonical } from "./canonical.js";
import { HeadsFeed } from "./heads-feed.js";
import { Mutations } from "./mutations.js";
import { OtherChain } from "./other-chain.js";
import type { Counters, Faults } from "./protocol.js";
import { View } from "./view.js";

/** Answers `POST /control`. */
export type ControlHandler = (text: string) => Promise<{ status: number; body: Buffer }>;

const FILL = Buffer.alloc(65_536, "a");
/** Longer than any client keeps a connection, so that none is closed under a request. */
const KEEP_ALIVE_MS = 300_000;

export class Endpoint {
  readonly mutations = new Mutations();
  readonly heads: HeadsFeed;
  readonly #index: number;
  readonly #calls: CallLog;
  readonly #control: ControlHandler;
  readonly #answerer: Answerer;
  readonly #otherChain: OtherChain<Answerer>;
  readonly #server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  readonly #gzip: boolean;
  #faults: Faults;
  #port = 0;
  #httpRequests = 0;
  #batches = 0;
  #bytesSent = 0;

  constructor({
    index,
    canonical,
    calls,
    control,
    faults,
    gzip,
    finalityDepth,
  }: {
    index: number;
    canonical: Canonical;
    calls: CallLog;
    control: ControlHandler;
    faults: Faults;
    gzip: boolean;
    finalityDepth: () => number;
  }) {
    this.#index = index;
    this.#calls = calls;
    this.#control = control;
    this.#faults = faults;
    this.#gzip = gzip;
    const current = () => this.#faults;
    const view = new View({ canonical, faults: current, finalityDepth });
    const seed = `${canonical.chain.options.seed}/errors/${index}`;
    this.#answerer = new Answerer({ view, faults: current, mutations: this.mutations, seed });
    this.#otherChain = new OtherChain(canonical, (other) => {
      const view = new View({ canonical: other, faults: current, finalityDepth });
      return new Answerer({ view, faults: current, mutations: this.mutations, seed });
    });
    this.heads = new HeadsFeed({
      view,
      canonical,
      faults: () => (this.#faults.otherChain ? { silent: true } : (this.#faults.heads ?? {})),
    });
    this.#server.on("connection", (socket) => {
      socket.setNoDelay(true);
      if (this.#faults.down === "reset") socket.resetAndDestroy();
    });
    this.#server.on("request", (request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#server.on("upgrade", (request, socket, head) => {
      this.heads.accept({ request, socket, head }, (text, ws) => {
        this.#serveMessage(text, ws).catch(() => ws.terminate());
      });
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens on 127.0.0.1, unless the endpoint is down from the start: then it only finds its port. */
  async listen(port: number): Promise<void> {
    await this.#listen(port);
    this.#port = (this.#server.address() as AddressInfo).port;
    if (this.#faults.down === "refused") await this.#stopListening();
  }

  async setFaults(faults: Faults): Promise<void> {
    const changesChain = (this.#faults.otherChain ?? null) !== (faults.otherChain ?? null);
    this.#faults = faults;
    if (faults.down || changesChain) {
      this.#server.closeAllConnections();
      this.heads.dropAll();
    }
    if (faults.down === "refused") await this.#stopListening();
    else if (!this.#server.listening) await this.#listen(this.#port);
    this.heads.headChanged();
  }

  async mergeFaults(faults: Faults): Promise<void> {
    await this.setFaults({ ...this.#faults, ...faults });
  }

  counters(): Omit<Counters, "calls"> {
    return {
      httpRequests: this.#httpRequests,
      batches: this.#batches,
      bytesSent: this.#bytesSent,
      webSockets: this.heads.connections,
      headsPushed: this.heads.pushed,
    };
  }

  resetCounters(): void {
    this.#httpRequests = 0;
    this.#batches = 0;
    this.#bytesSent = 0;
    this.heads.pushed = 0;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await readText(request);
    if (request.url === "/control") {
      const { status, body } = await this.#control(text);
      response.writeHead(status, { "content-type": "application/json" }).end(body);
      return;
    }
    this.#httpRequests += 1;
    const reply = await this.#reply(text);
    const gzip = this.#gzip && /\bgzip\b/.test(String(request.headers["accept-encoding"]));
    if (reply?.closes) request.socket.destroy();
    else if (reply) await send(response, reply, { gzip });
  }

  async #serveMessage(text: string, socket: WebSocket): Promise<void> {
    const request = parseRequest(text);
    const [call] = request?.calls ?? [];
    const isSubscription = call?.method === "eth_subscribe" || call?.method === "eth_unsubscribe";
    if (!call || !isSubscription) {
      const reply = await this.#reply(text);
      if (reply?.closes) socket.terminate();
      else if (reply) socket.send(Buffer.concat(reply.chunks), { binary: false });
      return;
    }
    this.#record(request);
    if (this.#hangs(request)) return;
    await this.#latency();
    const { id, method, params } = call;
    const refused =
      this.#faults.lacks?.includes(method) || (method === "eth_subscribe" && params[0] !== "newHeads");
    const answer = refused
      ? { error: { code: -32601, message: `no ${String(params[0])} subscription in eth namespace` } }
      : {
          result:
            method === "eth_subscribe"
              ? this.heads.subscribe(socket)
              : this.heads.unsubscribe(String(params[0])),
        };
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
  }

  /** Undefined: the request hangs. */
  async #reply(text: string): Promise<Reply | undefined> {
    const request = parseRequest(text);
    this.#record(request);
    if (this.#hangs(request)) return undefined;
    const { orders } = this.mutations;
    await this.#latency();
    const { otherChain } = this.#faults;
    const answerer = otherChain ? this.#otherChain.of(otherChain) : this.#answerer;
    const reply = answerer.reply(request, orders);
    for (const chunk of reply.chunks) this.#bytesSent += chunk.length;
    return reply;
  }

  #record(request: Request | undefined): void {
    if (request?.isBatch) this.#batches += 1;
    for (const { method, params } of request?.calls ?? []) {
      this.#calls.record({ endpoint: this.#index, method, params });
    }
  }

  #hangs(request: Request | undefined): boolean {
    const { hang } = this.#faults;
    if (typeof hang === "boolean") return hang;
    return request?.calls.some(({ method }) => hang?.includes(method)) ?? false;
  }

  async #latency(): Promise<void> {
    const { latencyMs, jitterMs } = this.#faults;
    if (latencyMs || jitterMs) await sleep((latencyMs ?? 0) + Math.random() * (jitterMs ?? 0));
  }

  #listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  #stopListening(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
      this.heads.dropAll();
    });
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function send(
  response: ServerResponse,
  { status, headers, chunks, fillBytes }: Reply,
  { gzip }: { gzip: boolean },
): Promise<void> {
  if (gzip) {
    response.writeHead(status, { ...headers, "content-encoding": "gzip" });
    await pipeline(Readable.from(filled(chunks, fillBytes ?? 0)), createGzip({ level: 1 }), response);
    return;
  }
  if (fillBytes !== undefined) {
    response.writeHead(status, headers);
    await pipeline(Readable.from(filled(chunks, fillBytes)), response);
    return;
  }
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  response.writeHead(status, { ...headers, "content-length": length });
  response.cork();
  for (const chunk of chunks) response.write(chunk);
  response.end();
}

function* filled([first, ...rest]: Buffer[], bytes: number): Generator<Buffer> {
  if (first) yield first;
  for (let left = bytes; left > 0; left -= FILL.length) yield FILL.subarray(0, Math.min(left, FILL.length));
  yield* rest;
}
