// From the text of a request to the reply: calls, faults that concern calls, and mutations.
import { type Answer, answerMethod } from "./methods.js";
import { type MutatedAnswer, type Mutations, mutateAnswer } from "./mutations.js";
import { answerNotYet } from "./not-yet.js";
import type { BatchRefusal, Faults, Mutation, Refusal } from "./protocol.js";
import { Random } from "./random.js";
import type { View } from "./view.js";

export interface Request {
  calls: RpcCall[];
  isBatch: boolean;
}

export interface RpcCall {
  id: unknown;
  method: string;
  params: readonly unknown[];
}

export interface Reply {
  status: number;
  headers: Record<string, string>;
  chunks: Buffer[];
  /** Bytes of filling inside the body, after the first chunk. */
  fillBytes?: number;
  /** The connection is closed instead. */
  closes?: boolean;
}

interface Response {
  id: unknown;
  answer: MutatedAnswer;
  mutation: Mutation | undefined;
}

const HUGE_BYTES = 100_000_000;
const JSON_HEADERS = { "content-type": "application/json" };
const CLOSE = Buffer.from("}");
const COMMA = Buffer.from(",");

/** The calls in a request's text; undefined when it is not JSON-RPC. */
export function parseRequest(text: string): Request | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    const items: unknown[] = Array.isArray(parsed) ? parsed : [parsed];
    const calls = items.map((item) => {
      const { id, method, params } = item as { id?: unknown; method?: unknown; params?: unknown };
      return { id, method: String(method), params: Array.isArray(params) ? params : [] };
    });
    return { calls, isBatch: Array.isArray(parsed) };
  } catch {
    return undefined;
  }
}

export class Answerer {
  readonly #view: View;
  readonly #faults: () => Faults;
  readonly #mutations: Mutations;
  readonly #random: Random;
  #second = 0;
  #callsInSecond = 0;

  constructor({
    view,
    faults,
    mutations,
    seed,
  }: {
    view: View;
    faults: () => Faults;
    mutations: Mutations;
    seed: string;
  }) {
    this.#view = view;
    this.#faults = faults;
    this.#mutations = mutations;
    this.#random = new Random(seed);
  }

  /** The reply to a request that came when so many mutations were ordered. */
  reply(request: Request | undefined, orders: number): Reply {
    if (!request) return json(errorBody(null, { code: -32700, message: "parse error" }));
    const { rateLimit, errors, batchLimit, batchRefusal, refusal } = this.#faults();
    const { calls, isBatch } = request;
    if (refusal && calls.some((call) => concerns(refusal, call))) return refuse(refusal, request);
    if (batchLimit && isBatch && calls.length > batchLimit && batchRefusal !== "tail") {
      return refuseBatch(calls, batchLimit, batchRefusal ?? "object");
    }
    if (rateLimit?.answer === 429 && !this.#admit(calls.length, rateLimit.perSecond)) {
      const after = rateLimit.retryAfterSeconds;
      const headers = { ...JSON_HEADERS, ...(after !== undefined && { "retry-after": String(after) }) };
      const body = errorBody(null, { code: 429, message: "too many requests" });
      return { status: 429, headers, chunks: [body] };
    }
    if (errors?.answer === 500 && calls.some(() => this.#random.chance(errors.rate))) {
      return { status: 500, headers: {}, chunks: [Buffer.from("Internal Server Error")] };
    }
    const answered = batchLimit && isBatch ? batchLimit : calls.length;
    const responses = calls.map((call, i) =>
      i < answered ? this.#respond(call, orders) : { id: call.id, answer: tooLarge, mutation: undefined },
    );
    return assemble(responses, isBatch);
  }

  #respond({ id, method, params }: RpcCall, orders: number): Response {
    const answer = this.#refusal() ?? this.#answer(method, params);
    const mutation = this.#mutations.take({ view: this.#view, method, params }, orders);
    if (!mutation) return { id, answer, mutation };
    return {
      id: mutation.kind === "wrong-id" ? wrongId(id) : id,
      answer: mutateAnswer(answer, mutation, { view: this.#view, method, params }),
      mutation,
    };
  }

  #answer(method: string, params: readonly unknown[]): Answer {
    const { notYet } = this.#faults();
    const notThere = notYet ? answerNotYet(this.#view, { method, params }, notYet) : undefined;
    return notThere ?? this.#answerInFull(method, params);
  }

  #answerInFull(method: string, params: readonly unknown[]): Answer {
    return answerMethod(this.#view, { method, params, lacks: this.#faults().lacks ?? [] });
  }

  #refusal(): Answer | undefined {
    const { rateLimit, errors } = this.#faults();
    if (rateLimit?.answer === -32005 && !this.#admit(1, rateLimit.perSecond)) {
      return { code: -32005, message: "daily request count exceeded, request rate limited" };
    }
    if (errors?.answer === -32000 && this.#random.chance(errors.rate)) {
      return { code: -32000, message: "internal error: header not found in the state cache" };
    }
    return undefined;
  }

  /** Counts calls in this second of the clock; false when there would be too many. */
  #admit(calls: number, perSecond: number): boolean {
    const second = Math.floor(Date.now() / 1_000);
    if (second !== this.#second) [this.#second, this.#callsInSecond] = [second, 0];
    if (this.#callsInSecond + calls > perSecond) return false;
    this.#callsInSecond += calls;
    return true;
  }
}

const tooLarge = { code: -32003, message: "response too large" };

function concerns({ methods }: Refusal, { method, params }: RpcCall): boolean {
  return methods === undefined || methods.includes(method) || methods.includes(String(params[0]));
}

function refuse(refusal: Refusal, { calls, isBatch }: Request): Reply {
  const { status = 200, code = 0, message = "", body, retryAfterSeconds } = refusal;
  const errors = calls.map(({ id }) => errorBody(id, { code, message }).toString());
  const text = body ?? (isBatch ? `[${errors.join(",")}]` : (errors[0] ?? ""));
  const after = retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
  return { status, headers: { ...JSON_HEADERS, ...after }, chunks: [Buffer.from(text)] };
}

function refuseBatch(calls: RpcCall[], limit: number, way: Exclude<BatchRefusal, "tail">): Reply {
  const error = { code: -32600, message: `batch larger than ${limit}` };
  const list = (ids: unknown[]) =>
    json(Buffer.from(`[${ids.map((id) => errorBody(id, error).toString()).join(",")}]`));
  switch (way) {
    case "object":
      return json(errorBody(null, error));
    case "first-id":
      return list([calls[0]?.id]);
    case "each":
      return list(calls.map(({ id }) => id));
    case "http-500":
      return { status: 500, headers: {}, chunks: [Buffer.from("Internal Server Error")] };
    case "http-413":
      return { status: 413, headers: {}, chunks: [Buffer.from("Request Entity Too Large")] };
    case "closed":
      return { ...json(), closes: true };
  }
}

function assemble(responses: Response[], isBatch: boolean): Reply {
  const whole = responses.find(({ mutation }) => mutation && mutation.kind in WHOLE_REPLY)?.mutation;
  const kind = whole?.kind;
  if (kind === "batch-out-of-order") responses.reverse();
  if (kind === "batch-missing") responses.pop();
  const chunks = isBatch ? batchChunks(responses) : responses.flatMap(responseChunks);
  const reply = json(...chunks);
  return whole ? (WHOLE_REPLY[whole.kind]?.(reply, whole) ?? reply) : reply;
}

/** Mutations of the whole reply. The batch ones are done by the time that this is looked up. */
const WHOLE_REPLY: Partial<Record<Mutation["kind"], (reply: Reply, mutation: Mutation) => Reply>> = {
  "batch-out-of-order": (reply) => reply,
  "batch-missing": (reply) => reply,
  "truncated-json": (reply) => {
    const whole = Buffer.concat(reply.chunks);
    return { ...reply, chunks: [whole.subarray(0, Math.floor(whole.length / 2))] };
  },
  "not-json": (reply) => ({ ...reply, chunks: [Buffer.from("upstream connect error\n")] }),
  "html-502": () => ({
    status: 502,
    headers: { "content-type": "text/html" },
    chunks: [Buffer.from("<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n")],
  }),
  "http-500": (reply, mutation) => ({
    ...reply,
    status: 500,
    chunks: "code" in mutation && mutation.code !== undefined ? reply.chunks : [],
  }),
  maintenance: (reply) => ({
    ...reply,
    headers: { "content-type": "text/html" },
    chunks: [
      Buffer.from("<html><head><title>Maintenance</title></head><body>We will be back soon.</body></html>\n"),
    ],
  }),
  closed: (reply) => ({ ...reply, closes: true }),
  "huge-body": (reply, mutation) => ({
    ...reply,
    chunks: [Buffer.from('{"jsonrpc":"2.0","id":1,"result":"'), Buffer.from('"}')],
    fillBytes: ("bytes" in mutation ? mutation.bytes : undefined) ?? HUGE_BYTES,
  }),
};

function batchChunks(responses: readonly Response[]): Buffer[] {
  const parts = responses.flatMap((response, i) =>
    i === 0 ? responseChunks(response) : [COMMA, ...responseChunks(response)],
  );
  return [Buffer.from("["), ...parts, Buffer.from("]")];
}

/** The result's bytes are passed on as they are, never copied into a larger text. */
function responseChunks({ id, answer }: Response): Buffer[] {
  const start = `{"jsonrpc":"2.0","id":${JSON.stringify(id ?? null)}`;
  if (answer === "missing") return [Buffer.from(`${start}}`)];
  if (!Buffer.isBuffer(answer)) return [errorBody(id, answer)];
  return [Buffer.from(`${start},"result":`), answer, CLOSE];
}

function errorBody(id: unknown, error: { code: number; message: string }): Buffer {
  return Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: id ?? null, error }));
}

function json(...chunks: Buffer[]): Reply {
  return { status: 200, headers: JSON_HEADERS, chunks };
}

function wrongId(id: unknown): unknown {
  return typeof id === "number" ? id + 1_000_000 : 1_000_000;
}
