/** A call as it goes out. */
export interface RpcCall {
  method: string;
  params: readonly unknown[];
}

/** The answer to one call: either. */
export type RpcAnswer = { result: unknown } | { error: RpcError };

/** A JSON-RPC error, and what the HTTP response said beside it, where its status was not 2xx. */
export interface RpcError {
  code: number;
  message: string;
  status?: number | undefined;
  retryAfter?: string | undefined;
}

/** An answer as it came. Whether it is one to its call, and well-formed, is not known. */
export interface AnswerBytes {
  chunks: readonly Uint8Array[];
  /** Bytes of all of them together. */
  size: number;
  /** Of the call. */
  id: number;
  /** Reads it as `send` does. Throws a MalformedAnswerError. */
  parse(): RpcAnswer;
}

export interface WireOptions {
  url: string;
  /** For messages; never the URL. */
  name: string;
  maxResponseBytes: number;
  /** Whether to ask for gzipped answers over HTTP. Unless stated: whether the URL is https. */
  compress?: boolean;
  /** Sees to it that every connection leads to the right chain. Without one, nobody asks. */
  guard?: Guard;
  /** Told how many bytes an answer had, uncompressed. */
  onReceived?: ((bytes: number) => void) | undefined;
}

/** Asks each new connection for its chain before anything else is sent over it. */
export interface Guard {
  /** Whether a call may go out over the connection without a question before it. The question itself always may. */
  mayPass(connection: object, asked?: string): boolean;
  /**
   * Asks the connection for its chain, with `send`, unless it was asked. Calls that come meanwhile share the question. Throws a
   * ChangedChainError when it leads to another chain: then the connection is to be ended.
   */
  check(connection: object, send: (call: RpcCall) => Promise<RpcAnswer>): Promise<void>;
}

export interface SendOptions {
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * What carries JSON-RPC to one endpoint and back. It sees to it that each answer belongs to its call;
 * what is in a `result` is not looked at. Throws viem's errors of the connection (HttpRequestError,
 * TimeoutError, ResponseBodyTooLargeError, WebSocketRequestError, SocketClosedError), or a
 * MalformedAnswerError. A signal's reason is thrown as it is.
 */
export interface Wire {
  send(call: RpcCall, options: SendOptions): Promise<RpcAnswer>;
  /** The same, but what does not look like an error is not parsed. Where it is missing, `send` is all there is. */
  sendForBytes?(call: RpcCall, options: SendOptions): Promise<RpcAnswer | AnswerBytes>;
  /** One JSON-RPC batch; answers in the order of the calls. One that is refused as a whole answers each call with its error. */
  sendBatch(calls: readonly RpcCall[], options: SendOptions): Promise<RpcAnswer[]>;
  /** Present where the endpoint can push. */
  subscribe?(
    params: readonly unknown[],
    listener: SubscriptionListener,
    options: SendOptions,
  ): Promise<Subscription>;
  /** Ends everything that is open: requests fail. */
  close(): void;
}

export interface Subscription {
  /** Ends it together with its connection, which may be the reason why it is silent; the next request makes another. */
  end(): void;
}

export interface SubscriptionListener {
  onMessage(result: unknown): void;
  /** Called once, when no more messages can come. */
  onLost(reason: string): void;
}
