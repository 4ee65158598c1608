import { createGunzip, type Gunzip } from "node:zlib";
import type { Dispatcher } from "undici";
import { HttpRequestError, ResponseBodyTooLargeError, TimeoutError } from "viem";
import type { KeptConnection } from "./kept-connections.js";
import { MalformedAnswerError } from "./match-answers.js";
import type { SendOptions } from "./wire.js";

export interface HttpRequest {
  /** With its query. */
  path: string;
  /** Names and values in turn. */
  headers: string[];
  body: Buffer;
}

/** A response's body in the pieces in which it came, and how many bytes they are together. */
export interface HttpResponse {
  status: number;
  retryAfter: string | undefined;
  chunks: readonly Buffer[];
  size: number;
}

export interface HttpExchangeOptions extends SendOptions {
  /** For messages; never the URL. */
  name: string;
  maxResponseBytes: number;
  /** Whether the connection is kept for whoever made this exchange, rather than given back after it. */
  keepsConnection?: boolean;
}

/** Nothing of an answer came: the server closed the kept connection while the request was on its way to it. */
export class StaleConnectionError extends HttpRequestError {}

/** The other side ended the connection. */
const lostCodes = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2];

/**
 * One POST and its response. Its bytes are counted as they come, uncompressed: of more than `maxResponseBytes` no more
 * than that, and one chunk, is ever held. However it fails, it ends its connection. Rejects with viem's errors, a
 * MalformedAnswerError, or the signal's reason.
 */
export class HttpExchange implements Dispatcher.DispatchHandler {
  readonly response: Promise<HttpResponse>;
  readonly #options: HttpExchangeOptions;
  readonly #timer: NodeJS.Timeout;
  #resolve!: (response: HttpResponse) => void;
  #reject!: (error: unknown) => void;
  /** Until it is given back. */
  #connection: KeptConnection | undefined;
  #gunzip: Gunzip | undefined;
  #status: number | undefined;
  #retryAfter: string | undefined;
  #chunks: Buffer[] = [];
  #size = 0;
  #isSettled = false;

  constructor(connection: KeptConnection, request: HttpRequest, options: HttpExchangeOptions) {
    this.#connection = connection;
    this.#options = options;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { timeoutMs, signal, name } = options;
    this.#timer = setTimeout(() => this.fail(new TimeoutError({ body: {}, url: name })), timeoutMs);
    signal?.addEventListener("abort", this.#abort, { once: true });
    connection.client.dispatch({ ...request, method: "POST" }, this);
  }

  /** Gives it up. */
  fail(error: unknown): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#chunks = [];
    this.#gunzip?.destroy();
    this.#connection?.end();
    this.#reject(error);
  }

  onRequestStart(): void {}

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (this.#isSettled || status < 200) return;
    const maxSize = this.#options.maxResponseBytes;
    const announced = Number(headers["content-length"] ?? 0);
    const encoding = String(headers["content-encoding"] ?? "identity");
    this.#status = status;
    this.#retryAfter = headers["retry-after"]?.toString();
    if (announced > maxSize) this.fail(new ResponseBodyTooLargeError({ maxSize, size: announced }));
    else if (encoding === "gzip") this.#gunzip = this.#openGunzip();
    else if (encoding !== "identity") {
      this.fail(new MalformedAnswerError("content-encoding", "gzip or none", encoding));
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isSettled) return;
    if (this.#gunzip === undefined) this.#add(chunk);
    else if (!this.#gunzip.write(chunk)) {
      controller.pause();
      this.#gunzip.once("drain", () => controller.resume());
    }
  }

  onResponseEnd(): void {
    if (this.#isSettled) return;
    this.#connection?.served();
    if (!this.#options.keepsConnection) this.#connection?.giveBack();
    this.#connection = undefined;
    if (this.#gunzip === undefined) this.#finish();
    else this.#gunzip.end();
  }

  onResponseError(_: unknown, cause: NodeJS.ErrnoException): void {
    const { name } = this.#options;
    const error = { url: name, cause, details: cause.message };
    const isUnanswered = this.#status === undefined && lostCodes.has(cause.code ?? "");
    const isStale = isUnanswered && this.#connection?.isReused === true;
    this.fail(isStale ? new StaleConnectionError(error) : new HttpRequestError(error));
  }

  #abort = (): void => this.fail(this.#options.signal?.reason);

  #add(chunk: Buffer): void {
    const maxSize = this.#options.maxResponseBytes;
    this.#size += chunk.length;
    if (this.#size > maxSize) this.fail(new ResponseBodyTooLargeError({ maxSize, size: this.#size }));
    else this.#chunks.push(chunk);
  }

  #openGunzip(): Gunzip {
    const gunzip = createGunzip({ chunkSize: 65_536 });
    gunzip.on("data", (chunk: Buffer) => this.#add(chunk));
    gunzip.on("end", () => this.#finish());
    gunzip.on("error", (cause) =>
      this.fail(new MalformedAnswerError("body", "gzip", cause.message, { cause })),
    );
    return gunzip;
  }

  #finish(): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#resolve({
      status: this.#status ?? 0,
      retryAfter: this.#retryAfter,
      chunks: this.#chunks,
      size: this.#size,
    });
  }

  #settle(): void {
    this.#isSettled = true;
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener("abort", this.#abort);
  }
}
