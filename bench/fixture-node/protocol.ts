// What may be asked of the fixture node: its options, faults, answer mutations and control commands.
import type { HeadInfo } from "./canonical.js";
import type { ChainWishes } from "./chain-options.js";

/** JSON only: a function for `transactions` cannot cross to the process. */
export interface FixtureOptions extends Omit<ChainWishes, "transactions"> {
  transactions?: number | readonly number[];
  /** The head's number. Default: `start + 64`, or the last of `blocks`. */
  head?: number;
  /** Blocks to build ahead into a file in os.tmpdir(), which later runs find again. */
  blocks?: number;
  /** How far `finalized` is behind the head; `safe` is half as far. Default 64. */
  finalityDepth?: number;
  /** How many endpoints. Default 1. */
  ports?: number;
  /** The first endpoint's TCP port. Default: any that is free. */
  port?: number;
  /** Of every endpoint, from the start. */
  faults?: Faults;
  /** Gzip answers over HTTP for whoever accepts it. Default false: benchmarks are not of it. */
  gzip?: boolean;
  /** Keep the last 10,000 calls for `calls`. Default true. */
  recordCalls?: boolean;
}

/** Everything that an endpoint may do wrong. Absent or null: it does not. */
export interface Faults {
  /** Every answer waits this long, and up to `jitterMs` more. */
  latencyMs?: number | null;
  jitterMs?: number | null;
  /** More calls than this in a second are refused, by HTTP status 429 or by a JSON-RPC error each. */
  rateLimit?: { perSecond: number; answer: 429 | -32005; retryAfterSeconds?: number } | null;
  /** The share of calls, 0 to 1, that fail; which ones depends on the chain's seed. */
  errors?: { rate: number; answer: 500 | -32000 } | null;
  /** `refused`: nobody listens. `reset`: a connection is accepted and reset. */
  down?: "refused" | "reset" | null;
  /** Requests are accepted and never answered; a list hangs only requests with these methods. */
  hang?: boolean | readonly string[] | null;
  /** Methods that do not exist, and block tags (`finalized`, `safe`) that are not supported. */
  lacks?: readonly string[] | null;
  /** A batch with more calls is refused, in the way of `batchRefusal`. */
  batchLimit?: number | null;
  /**
   * By one error object (unless stated) with the id null; by a list of one error with the first call's id, as geth does;
   * by an error for each call; by -32003 for the calls beyond the limit; by HTTP 500 or 413; by closing the connection.
   */
  batchRefusal?: BatchRefusal | null;
  /** Every call is refused in these words, or only those of `methods`. */
  refusal?: Refusal | null;
  /** The newest so many blocks are announced, but not there yet in full: what is asked for of them is answered so. */
  notYet?: NotYet | null;
  /**
   * Another chain behind the same URL: blocks of this chain id from the first on, as high as the honest chain. Whenever it changes,
   * every connection is closed, as when one program takes another one's place. Nothing is pushed meanwhile.
   */
  otherChain?: number | null;
  /** eth_chainId and net_version say this. */
  chainId?: number | null;
  /** The endpoint is so many blocks behind the head. */
  headLag?: number | null;
  /** The endpoint stays at this block, and its head on this branch. */
  head?: number | null;
  branch?: string | null;
  /** `latest` is a made-up block of this number, far above the chain's; so are its ancestors. All else is honest. */
  falseHead?: number | null;
  /** Blocks that are not canonical are unknown, also by hash. */
  forgetsOrphans?: boolean | null;
  heads?: HeadFaults | null;
}

export type BatchRefusal = "object" | "first-id" | "each" | "tail" | "http-500" | "http-413" | "closed";

/** What is said instead of an answer: a JSON-RPC error, or a page or text, with an HTTP status (200 unless stated). */
export interface Refusal {
  status?: number;
  code?: number;
  message?: string;
  /** Instead of a JSON-RPC error. */
  body?: string;
  retryAfterSeconds?: number;
  /** Methods, and block tags, that are refused; absent: every call. */
  methods?: readonly string[];
}

/** How a node that announces its head sooner than it has it answers what is asked of it. */
export interface NotYet {
  /** So many of the newest blocks. */
  blocks: number;
  block?: "there" | "null" | { code: number; message: string };
  /** `few`: one too few; `wrong`: those of another block. */
  receipts?: "there" | "null" | "empty" | "few" | "wrong" | { code: number; message: string };
}

/** What goes wrong with newHeads subscriptions. */
export interface HeadFaults {
  /** Stays open, pushes nothing. */
  silent?: boolean;
  /** Pushes every head twice. */
  duplicate?: boolean;
  /** Swaps each head with the one after it. */
  outOfOrder?: boolean;
  /** Leaves every so many-th head out. */
  missingEvery?: number;
}

/** A wrong answer. It is given to calls of `method` ("*": any) that ask for `block` (absent: any). */
export type Mutation = MutationKind & {
  method: string;
  /** A number; it also matches a request by that block's hash. */
  block?: number;
  /** How many times. Default 1; 0: for ever. */
  count?: number;
};

export type MutationKind =
  | { kind: "null-result" | "missing-result" | "wrong-id" | "drop-receipt" | "change-log-byte" }
  /** A list without items; the first item instead of the list. */
  | { kind: "empty-list" | "first-alone" }
  /** `hidden`: log indexes and the receipt's bloom are made to fit again. `index`: which log of the block; default the first. */
  | { kind: "drop-log"; hidden?: boolean; index?: number }
  /** Answers from another branch, or about the block at `offset` from the one that was asked for. */
  | { kind: "other-branch"; branch: string }
  | { kind: "other-number"; offset: number }
  /** Sets what `path` names, such as `transactions[0].gas`; without a value, removes it. */
  | { kind: "set"; path: string; value?: unknown }
  /** Another result. */
  | { kind: "result"; value: unknown }
  | { kind: "error"; code: number; message: string }
  | { kind: "truncated-json" | "not-json" | "html-502" | "batch-out-of-order" | "batch-missing" }
  /** The status, with the answer's JSON-RPC error, or an empty body. */
  | { kind: "http-500"; code?: number; message?: string }
  /** A page with status 200. */
  | { kind: "maintenance" }
  /** The connection is closed instead of an answer. */
  | { kind: "closed" }
  | { kind: "huge-body"; bytes?: number }
  | { kind: "deep-nesting"; depth?: number }
  /** A list of so many empty objects. */
  | { kind: "many-values"; values: number };

export interface Counters {
  httpRequests: number;
  /** HTTP requests that held a batch. */
  batches: number;
  /** JSON-RPC calls per method, over HTTP and WebSocket. */
  calls: Record<string, number>;
  /** Of JSON-RPC answers, without HTTP headers. */
  bytesSent: number;
  webSockets: number;
  headsPushed: number;
}

export interface Call {
  endpoint: number;
  method: string;
  params: unknown;
}

export interface BlockRef {
  number: number;
  hash: string;
  parentHash: string;
}

/** JSON-RPC blocks and receipts, as the node answers. */
export type Json = Record<string, unknown>;

/** Each control command, what it takes and what it gives. `endpoint` absent: all of them. */
export interface Commands {
  mine: { takes: { blocks: number }; gives: HeadInfo };
  autoMine: { takes: { intervalMs: number | null }; gives: null };
  setHead: { takes: { number: number }; gives: HeadInfo };
  reorg: { takes: { depth: number; length: number; branch?: string }; gives: HeadInfo };
  fork: { takes: { depth: number; length: number; branch: string }; gives: HeadInfo };
  switchTo: { takes: { branch: string }; gives: HeadInfo };
  setFinalityDepth: { takes: { blocks: number }; gives: null };
  head: { takes: object; gives: HeadInfo };
  expected: { takes: { number: number; branch?: string }; gives: { block: Json; receipts: Json[] } };
  canonical: { takes: { from: number; to: number }; gives: BlockRef[] };
  addEndpoint: { takes: { port?: number; faults?: Faults }; gives: { endpoint: number; url: string } };
  /** Merged with the faults that the endpoint has. */
  setFaults: { takes: { endpoint?: number; faults: Faults }; gives: null };
  /** Ends faults and mutations. Requests that hang stay so. */
  clearFaults: { takes: { endpoint?: number }; gives: null };
  mutate: { takes: { endpoint?: number; mutation: Mutation }; gives: null };
  dropWebSockets: { takes: { endpoint?: number }; gives: null };
  counters: { takes: { endpoint?: number }; gives: Counters };
  resetCounters: { takes: object; gives: null };
  calls: { takes: { endpoint?: number; method?: string }; gives: Call[] };
  /** Answers when that many calls of the method ("*": any) were received since the last resetCounters. */
  waitForCalls: { takes: { endpoint?: number; method: string; count: number }; gives: number };
  /** The process's CPU time, in microseconds since its start. */
  cpu: { takes: object; gives: { user: number; system: number } };
}

export type CommandName = keyof Commands;

export interface Ready {
  controlUrl: string;
  urls: string[];
}
