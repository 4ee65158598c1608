// JSON-RPC over a WebSocket, on `ws` (which viem brings along). viem's own webSocket transport keeps its
// sockets in a global by URL, writes to the console when it cannot reconnect, bounds no message, and
// cannot be aborted.

import { HttpRequestError, SocketClosedError, TimeoutError, WebSocketRequestError } from "viem";
import { type RawData, WebSocket } from "ws";
import { ChangedChainError } from "../../errors.js";
import {
  envelope,
  hasError,
  MalformedAnswerError,
  matchAnswer,
  matchBatch,
  parseAnswer,
  type SentCall,
} from "./match-answers.js";
import { mayBeError } from "./may-be-error.js";
import type {
  AnswerBytes,
  RpcAnswer,
  RpcCall,
  SendOptions,
  Subscription,
  SubscriptionListener,
  Wire,
  WireOptions,
} from "./wire.js";

/** A socket that says nothing for so long is pinged, and given up when it is as silent again. */
const silenceMs = 3_000;
/** Ids of calls that nobody waits for any more, whose answers may still come. */
const maxForgotten = 1_000;

/** How most servers begin an answer. Others' are parsed as soon as they are there: whose they are is not known before. */
const usualBeginning = /^\{"jsonrpc":"2\.0","id":(\d{1,15}),"result":/;
const usualBeginningBytes = 64;

interface Pending {
  settle(raw: unknown): void;
  /** Where it is wanted: the message, unparsed, which begins as the answer to this call does. */
  settleBytes?: ((message: Buffer) => void) | undefined;
  fail(error: unknown): void;
}

export function createWsWire({ url, name, maxResponseBytes, guard, onReceived }: WireOptions): Wire {
  let connection: Promise<Connection> | undefined;
  let current: Connection | undefined;
  const closing = new AbortController();

  const connect = (timeoutMs: number): Promise<Connection> => {
    if (current?.isOpen) return Promise.resolve(current);
    connection ??= openConnection({
      url,
      name,
      maxResponseBytes,
      onReceived,
      timeoutMs,
      signal: closing.signal,
    })
      .then((opened) => {
        current = opened;
        return opened;
      })
      .finally(() => {
        connection = undefined;
      });
    return connection;
  };

  const check = async (opened: Connection, { timeoutMs }: SendOptions): Promise<void> => {
    try {
      // Others wait for its answer: it is not given up when one of them is.
      await guard?.check(opened, (call) => opened.send(call, { timeoutMs }));
    } catch (error) {
      if (error instanceof ChangedChainError) opened.end(new SocketClosedError({}));
      throw error;
    }
  };

  /** `asked`: the method that is called; a batch has none. */
  const send = async <T>(
    options: SendOptions,
    work: (connection: Connection) => Promise<T>,
    asked?: string,
  ): Promise<T> => {
    options.signal?.throwIfAborted();
    if (closing.signal.aborted) throw new SocketClosedError({});
    const opened = await connect(options.timeoutMs);
    if (guard?.mayPass(opened, asked) === false) await check(opened, options);
    return work(opened);
  };

  return {
    send: (call, options) => send(options, (to) => to.send(call, options), call.method),
    sendForBytes: (call, options) => send(options, (to) => to.sendForBytes(call, options), call.method),
    sendBatch: (calls, options) => send(options, (to) => to.sendBatch(calls, options)),
    subscribe: (params, listener, options) => send(options, (to) => to.subscribe(params, listener, options)),
    close() {
      closing.abort();
      current?.end(new SocketClosedError({}));
    },
  };
}

function openConnection(
  options: WireOptions & { timeoutMs: number; signal: AbortSignal },
): Promise<Connection> {
  const { url, name, maxResponseBytes, onReceived, timeoutMs, signal } = options;
  const socket = new WebSocket(url, {
    maxPayload: maxResponseBytes,
    handshakeTimeout: timeoutMs,
    perMessageDeflate: false,
    followRedirects: false,
  });
  const abort = (): void => socket.terminate();
  signal.addEventListener("abort", abort, { once: true });
  return new Promise<Connection>((resolve, reject) => {
    socket.once("open", () => resolve(new Connection(socket, name)));
    // One Buffer a message, as `ws` has it unless asked otherwise.
    socket.on("message", (data: Buffer) => onReceived?.(data.length));
    // Stays for good: an error that nobody listens to ends the process.
    socket.on("error", (cause: NodeJS.ErrnoException) =>
      reject(new WebSocketRequestError({ url: name, cause, details: cause.code ?? cause.message })),
    );
    socket.once("unexpected-response", (request, { statusCode = 0, headers }) => {
      const seen = new Headers();
      const retryAfter = headers["retry-after"];
      if (retryAfter !== undefined) seen.set("retry-after", retryAfter);
      reject(new HttpRequestError({ url: name, status: statusCode, headers: seen, details: "" }));
      request.destroy();
    });
  }).finally(() => signal.removeEventListener("abort", abort));
}

/** One open socket, until it ends. */
class Connection {
  readonly #socket: WebSocket;
  readonly #name: string;
  readonly #pending = new Map<number, Pending>();
  readonly #forgotten = new Set<number>();
  readonly #subscriptions = new Map<string, SubscriptionListener>();
  readonly #heart: NodeJS.Timeout;
  #lastId = 0;
  #isAlive = true;
  #ended = false;

  constructor(socket: WebSocket, name: string) {
    this.#socket = socket;
    this.#name = name;
    socket.on("message", (data) => this.#receive(data));
    socket.on("pong", () => {
      this.#isAlive = true;
    });
    socket.on("error", (cause) => this.end(cause));
    socket.on("close", () => this.end(new SocketClosedError({})));
    this.#heart = setInterval(() => this.#beat(), silenceMs);
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  async send(call: RpcCall, options: SendOptions): Promise<RpcAnswer> {
    const sent = { id: this.#nextIds(1), ...call };
    return matchAnswer(sent, await this.#exchange([sent], envelope(sent), options));
  }

  async sendForBytes(call: RpcCall, options: SendOptions): Promise<RpcAnswer | AnswerBytes> {
    const sent = { id: this.#nextIds(1), ...call };
    const came = await this.#exchange([sent], envelope(sent), { ...options, asBytes: true });
    if (!Buffer.isBuffer(came)) return matchAnswer(sent, came);
    const parse = (): RpcAnswer => matchAnswer(sent, parseAnswer(String(came)));
    return { chunks: [came], size: came.length, id: sent.id, parse };
  }

  async sendBatch(calls: readonly RpcCall[], options: SendOptions): Promise<RpcAnswer[]> {
    const first = this.#nextIds(calls.length);
    const sent = calls.map((call, i): SentCall => ({ id: first + i, ...call }));
    return matchBatch(sent, await this.#exchange(sent, sent.map(envelope), options));
  }

  async subscribe(
    params: readonly unknown[],
    listener: SubscriptionListener,
    options: SendOptions,
  ): Promise<Subscription> {
    const answer = await this.send({ method: "eth_subscribe", params }, options);
    if ("error" in answer) {
      throw new MalformedAnswerError("eth_subscribe", "a subscription", answer.error.message);
    }
    if (typeof answer.result !== "string") {
      throw new MalformedAnswerError("eth_subscribe", "a subscription's id", typeof answer.result);
    }
    if (this.#ended) throw new SocketClosedError({});
    this.#subscriptions.set(answer.result, listener);
    return { end: () => this.end(new SocketClosedError({})) };
  }

  /** Ends the socket now; what waits on it fails with `error`. */
  end(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    clearInterval(this.#heart);
    this.#socket.terminate();
    const told =
      error instanceof MalformedAnswerError || error instanceof SocketClosedError
        ? error
        : new WebSocketRequestError({
            url: this.#name,
            cause: error as Error,
            details: (error as Error).message,
          });
    for (const pending of [...this.#pending.values()]) pending.fail(told);
    for (const listener of this.#subscriptions.values()) listener.onLost(told.message.split("\n")[0] ?? "");
    this.#subscriptions.clear();
  }

  #nextIds(count: number): number {
    const first = this.#lastId + 1;
    this.#lastId += count;
    return first;
  }

  /** The answer, parsed; with `asBytes` a Buffer where the message begins as most servers' answers do. */
  #exchange(
    calls: readonly SentCall[],
    body: unknown,
    { signal, timeoutMs, asBytes = false }: SendOptions & { asBytes?: boolean },
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new SocketClosedError({}));
      const settle = (finish: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        for (const { id } of calls) this.#pending.delete(id);
        finish();
      };
      const forget = (error: unknown): void => {
        for (const { id } of calls) this.#forget(id);
        settle(() => reject(error));
      };
      const abort = (): void => forget(signal?.reason);
      const timer = setTimeout(() => forget(new TimeoutError({ body: {}, url: this.#name })), timeoutMs);
      signal?.addEventListener("abort", abort, { once: true });
      const pending: Pending = {
        settle: (raw) => settle(() => resolve(raw)),
        settleBytes: asBytes ? (message) => settle(() => resolve(message)) : undefined,
        fail: (error) => settle(() => reject(error)),
      };
      for (const { id } of calls) this.#pending.set(id, pending);
      this.#socket.send(JSON.stringify(body), (error) => {
        if (error) this.end(error);
      });
    });
  }

  #receive(data: RawData): void {
    this.#isAlive = true;
    if (this.#settledUnparsed(data)) return;
    let raw: unknown;
    try {
      raw = parseAnswer(String(data));
    } catch (error) {
      // What it was meant for cannot be told; nothing that comes after it can be trusted either.
      this.end(error);
      return;
    }
    const first = (Array.isArray(raw) ? raw[0] : raw) as Record<string, unknown> | null | undefined;
    if (typeof first === "object" && first !== null && first.method === "eth_subscription") {
      this.#notify(first.params);
      return;
    }
    const pending = this.#pendingOf(raw);
    if (pending !== undefined) pending.settle(raw);
    else if (!this.#isForgotten(raw)) {
      this.end(new MalformedAnswerError("id", "the id of a call", "another"));
    }
  }

  /** Hands a message on as it came, if it is the answer to a call that wants it so, and looks like no error. */
  #settledUnparsed(data: RawData): boolean {
    if (!Buffer.isBuffer(data)) return false;
    const [, id] = usualBeginning.exec(data.toString("latin1", 0, usualBeginningBytes)) ?? [];
    const settle = id === undefined ? undefined : this.#pending.get(Number(id))?.settleBytes;
    if (settle === undefined || mayBeError([data])) return false;
    settle(data);
    return true;
  }

  /** The call, or the batch, that an answer is for. An error without an id is for the only one that waits. */
  #pendingOf(raw: unknown): Pending | undefined {
    for (const each of Array.isArray(raw) ? raw : [raw]) {
      const id = (each as { id?: unknown } | null)?.id;
      const pending = typeof id === "number" ? this.#pending.get(id) : undefined;
      if (pending !== undefined) return pending;
    }
    const waiting = new Set(this.#pending.values());
    const { id, error } = (Array.isArray(raw) ? (raw[0] ?? {}) : (raw ?? {})) as Record<string, unknown>;
    return id === null && hasError({ error }) && waiting.size === 1 ? [...waiting][0] : undefined;
  }

  #isForgotten(raw: unknown): boolean {
    const all = Array.isArray(raw) ? raw : [raw];
    return all.some((each) => {
      const id = (each as { id?: unknown } | null)?.id;
      return typeof id === "number" && this.#forgotten.has(id);
    });
  }

  #forget(id: number): void {
    this.#forgotten.add(id);
    const [oldest] = this.#forgotten;
    if (this.#forgotten.size > maxForgotten && oldest !== undefined) this.#forgotten.delete(oldest);
  }

  #notify(params: unknown): void {
    const { subscription, result } = (params ?? {}) as { subscription?: unknown; result?: unknown };
    if (typeof subscription === "string") this.#subscriptions.get(subscription)?.onMessage(result);
  }

  #beat(): void {
    if (!this.#isAlive) {
      this.end(new Error(`silent for ${silenceMs} ms`));
      return;
    }
    this.#isAlive = false;
    this.#socket.ping();
  }
}
