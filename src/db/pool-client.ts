import type { Socket } from "node:net";
import { Readable } from "node:stream";
import pg from "pg";
import { statementName } from "./statement-name.js";

/** A transaction as the server knows it: a row of pg_stat_activity. */
interface Place {
  pid: number;
  /** Its xact_start, in seconds since 1970. */
  began: string;
}

/** How long the server may take to close a connection that we have ended. */
const goodbyeMs = 1_000;

/**
 * A connection of a pool, which can be asked what it is waiting for. With an `opening`, it leads through a
 * pooler that keeps nothing between transactions: each begins with it, no statement runs outside of one,
 * and none has a name.
 */
export class PoolClient extends pg.Client {
  // pg has these, and its types do not, or not as they are.
  /** The session's process on the server, which the server told as it began; a pooler tells any number. */
  declare readonly processID: number | null;
  /** Its stream is the socket, or the TLS around it. */
  declare readonly connection: pg.Connection & { readonly stream: Socket };
  readonly #opening: string | undefined;
  #place: Place | undefined;
  #statements = 0;
  #isOut = false;
  #isRead = false;
  #writtenBefore = 0;

  /** `onAnswered`: told how many seconds each statement took to be answered. */
  constructor(
    config: pg.ClientConfig = {},
    opening?: string,
    onAnswered?: (statement: string, seconds: number) => void,
  ) {
    super(config);
    this.#opening = opening;
    // A connection that fails by our own doing (no password for SCRAM) is open: the server would wait, and so would we.
    this.connection.once("error", () => this.connection.stream.destroy());
    this.once("connect", () => {
      const { stream } = this.connection;
      // A server that is no longer there does not close its side: without this, the process could not end.
      stream.once("finish", () => setTimeout(() => stream.destroy(), goodbyeMs).unref());
    });
    let asked: unknown;
    let askedAt = 0;
    const send = this.query.bind(this) as (...args: unknown[]) => unknown;
    this.query = ((first: unknown, ...rest: unknown[]) => {
      this.#statements += 1;
      if (!this.#isOut) askedAt = performance.now();
      asked = first;
      this.#isOut = true;
      this.#isRead = first instanceof Readable;
      this.#writtenBefore = this.connection.stream.bytesWritten;
      return send(opening === undefined ? first : this.#fit(first), ...rest);
    }) as typeof this.query;
    this.on("drain", () => {
      if (this.#isOut) onAnswered?.(statementName(asked), (performance.now() - askedAt) / 1_000);
      this.#isOut = false;
    });
  }

  /** Whether the session is ours for longer than a transaction, and so are its prepared statements. */
  get keepsNames(): boolean {
    return this.#opening === undefined;
  }

  /** Begins a transaction. */
  async begin(): Promise<void> {
    if (this.#opening === undefined) {
      await this.query("begin");
      return;
    }
    this.#place = undefined;
    // pg's types do not tell that two statements in one text have two answers.
    const [, answer] = (await this.query<Place>(this.#opening)) as unknown as pg.QueryResult<Place>[];
    this.#place = answer?.rows[0];
  }

  /** The statement whose answer is awaited; undefined: none is, or it is a COPY TO, whose pace its reader sets. */
  get awaited(): Awaited | undefined {
    if (!this.#isOut || this.#isRead) return undefined;
    const { pid, began } = this.#place ?? {};
    const { bytesRead, bytesWritten } = this.connection.stream;
    return {
      number: this.#statements,
      pid: this.#opening === undefined ? (this.processID ?? undefined) : pid,
      began,
      moved: bytesRead + bytesWritten,
      sentBytes: bytesWritten - this.#writtenBefore,
    };
  }

  /** Ends it at once, as one that was lost: whatever is awaited on it fails. */
  cut(reason: string): void {
    this.connection.stream.destroy(new Error(`Connection terminated: ${reason}`));
  }

  #fit(first: unknown): unknown {
    if (first !== this.#opening && this.getTransactionStatus() === "I")
      throw new Error("through a pooler, a statement runs in a transaction");
    if (typeof first !== "object" || first === null || !("name" in first) || "submit" in first) return first;
    return { ...first, name: undefined };
  }
}

/** A statement that was sent, and whose answer has not come. */
export interface Awaited {
  /** Another one has another number. */
  number: number;
  /** The server's process that runs it; undefined: not known yet. */
  pid: number | undefined;
  /** The xact_start of its transaction, where `pid` alone does not tell whose it is. */
  began: string | undefined;
  /** Bytes that the connection has carried so far, both ways. */
  moved: number;
  /** Bytes that belong to it, all of which were sent with it. */
  sentBytes: number;
}
